import { localTime } from './local-time.ts';
import { rolesOf } from './person.ts';
import type { Rooms } from './rooms.ts';
import { type Cli, collect, verb, withActs } from './verb.ts';

export function addSignInLink<Config>(cli: Cli, rooms: Rooms<Config>): void {
  verb(
    cli.program,
    'sign-in-link',
    'makes a link that signs somebody in, once, within ten minutes',
    'sign-in-link --team acme --role lead --name "Ada"',
  )
    .requiredOption('--role <role>', 'viewer, member, lead, auditor or operator')
    .option('--team <team>', 'the team; none for an operator, or for an auditor of all')
    .option('--name <text>', 'name of the person, for people to read')
    .option('--scope <scope>', 'limits the role to these scopes of Mason’s; several times, or with commas', collect)
    .action(
      withActs(cli, async ({ acts, print }, { role, team, name, scope }) => {
        const link = await acts.perform('link.create', { name, grants: [{ role, team, scopes: scope }] });
        const url = link.url ?? rooms.publicAddress(rooms.loadConfig()) + link.path;
        await print.one({ ...link, url }, [url]);
        await print.aside(
          `Shown this once. Whoever opens it first is ${rolesOf(link.grants)}; it works once, until ${localTime(link.endsAt)}.`,
        );
      }),
    );
}
