import type { TeamView } from '../manage/team-acts.ts';
import { localTime } from './local-time.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<TeamView>[] = [
  ['TEAM', (team) => team.slug],
  ['NAME', (team) => team.name],
  ['APPS', (team) => team.apps],
  ['KEYS', (team) => team.keys],
  ['TOKENS', (team) => team.tokens],
  ['CREATED', (team) => localTime(team.createdAt)],
];

export function addTeam(cli: Cli): void {
  const team = noun(cli, 'team', 'groups of people and apps that share Mason keys');

  verb(team, 'add <team>', 'adds a team', 'team add acme --name "Acme Ltd"')
    .option('--name <text>', 'name for people; else the same')
    .action(
      withActs(cli, async ({ acts, print }, { name }, [slug]) => {
        const added = await acts.perform('team.add', { slug, name });
        await print.one(added, [`Added the team ${added.slug}.`]);
        await print.aside(`Next, give it a Mason key: key add --team ${added.slug} --name main --scope fleet:read`);
      }),
    );

  verb(team, 'list', 'lists teams', 'team list').action(
    withActs(cli, async ({ acts, print }) => {
      await print.list(await acts.perform('team.list'), COLUMNS, 'There are no teams yet: team add <team>');
    }),
  );

  verb(team, 'set <team>', 'changes the name for people; the short one stays', 'team set acme --name "Acme & Co"')
    .requiredOption('--name <text>', 'name for people')
    .action(
      withActs(cli, async ({ acts, print }, { name }, [slug]) => {
        const set = await acts.perform('team.set', { team: slug, name });
        await print.one(set, [`The team ${set.slug} is called ${set.name} now.`]);
      }),
    );

  verb(team, 'remove <team>', 'removes a team; its tokens die at once', 'team remove acme --force')
    .option('--force', 'with its apps, keys and tokens')
    .action(
      withActs(cli, async ({ acts, print }, { force }, [slug]) => {
        const answer = await acts.perform('team.remove', { team: slug, force });
        await print.one(answer, [`Removed the team ${answer.removed}, with all that was its own.`]);
      }),
    );
}
