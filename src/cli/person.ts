import type { PersonView } from '../manage/person-acts.ts';
import type { RoleGrantView } from '../manage/role-grant-fields.ts';
import { usageError } from './cli-error.ts';
import { localTime } from './local-time.ts';
import type { Column } from './table.ts';
import { type Cli, collect, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<PersonView>[] = [
  ['PERSON', (person) => person.id],
  ['NAME', (person) => person.name],
  ['ROLES', (person) => rolesOf(person.grants)],
  ['SET BY', (person) => (person.pinned ? 'hand' : 'sign-in')],
  ['STATE', (person) => (person.disabledAt === null ? 'active' : 'disabled')],
  ['LAST SIGN-IN', (person) => (person.lastSignInAt === null ? 'never' : localTime(person.lastSignInAt))],
  ['ISSUER', (person) => person.issuer],
];

export function addPerson(cli: Cli): void {
  const person = noun(cli, 'person', 'people who sign in, and their roles');

  verb(person, 'list', 'lists people', 'person list --team acme')
    .option('--team <team>', 'with a role in this team only')
    .action(
      withActs(cli, async ({ acts, print }, { team }) => {
        await print.list(
          await acts.perform('person.list', { team }),
          COLUMNS,
          'Nobody has signed in yet: sign-in-link --team <team> --role <role>',
        );
      }),
    );

  verb(
    person,
    'set <id>',
    'gives somebody roles by hand, all of them, at once; or leaves them to what the identity provider says',
    'person set per_… --role lead@acme --role viewer@beta --scope fleet:read',
  )
    .option(
      '--role <role[@team]>',
      'viewer, member or lead of a team; auditor of a team or, without one, of all; operator; none; several times, or with commas',
      collect,
    )
    .option(
      '--scope <scope>',
      'limits roles that call to these scopes of Mason’s; several times, or with commas',
      collect,
    )
    .option('--claims', 'as the next sign-in says; their sessions end')
    .action(
      withActs(cli, async ({ acts, print }, { role, scope, claims }, [id]) => {
        if ((role === undefined) === (claims === undefined)) {
          throw usageError('expected either --role or --claims, one of them');
        }
        const words: readonly string[] = role ?? [];
        const given = words.length === 1 && words[0] === 'none' ? [] : words.map((word) => grantFrom(word, scope));
        const grants = claims ? 'claims' : given;
        const set = await acts.perform('person.set', { id, grants });
        const ended = set.sessionsEnded === 0 ? '' : `; sessions ended: ${set.sessionsEnded}`;
        const by = set.pinned ? `has the roles ${rolesOf(set.grants)}` : 'has the roles that the next sign-in brings';
        await print.one(set, [`${set.name} ${by}${ended}.`]);
      }),
    );

  verb(person, 'disable <id>', 'keeps somebody out, and ends their sessions at once', 'person disable per_…').action(
    withActs(cli, async ({ acts, print }, _options, [id]) => {
      const disabled = await acts.perform('person.disable', { id });
      await print.one(disabled, [`${disabled.name} is kept out; sessions ended: ${disabled.sessionsEnded}.`]);
    }),
  );

  verb(person, 'enable <id>', 'lets somebody in again', 'person enable per_…').action(
    withActs(cli, async ({ acts, print }, _options, [id]) => {
      const enabled = await acts.perform('person.enable', { id });
      const how = enabled.issuer === 'sign-in-link' ? 'with a new sign-in-link' : 'again';
      await print.one(enabled, [`${enabled.name} may sign in ${how}.`]);
    }),
  );

  verb(person, 'remove <id>', 'forgets somebody, and ends their sessions', 'person remove per_…').action(
    withActs(cli, async ({ acts, print }, _options, [id]) => {
      const answer = await acts.perform('person.remove', { id });
      await print.one(answer, [`Removed ${answer.removed}; sessions ended: ${answer.sessionsEnded}.`]);
      await print.aside(
        'Signing in makes the person anew, with the roles that the identity provider says: to keep somebody out, disable them.',
      );
    }),
  );
  addErase(cli, person);
}

function addErase(cli: Cli, person: ReturnType<typeof noun>): void {
  verb(
    person,
    'erase <id>',
    'forgets somebody whole: the record keeps their id, and nobody knows any more whose it was',
    'person erase per_…',
  ).action(
    withActs(cli, async ({ acts, print }, _options, [id]) => {
      const answer = await acts.perform('person.erase', { id });
      await print.one(answer, [
        `Erased ${answer.erased}: name and sign-in are gone; sessions ended: ${answer.sessionsEnded}.`,
      ]);
      await print.aside(
        'Copies that left this gateway, such as backups and the identity provider itself, are not reached.',
      );
    }),
  );
}

/** `lead@acme` as a grant; scopes go to roles that call only. */
export function grantFrom(word: string, scopes: readonly string[] | undefined): object {
  const [role, ...team] = word.split('@');
  const calls = role === 'viewer' || role === 'member' || role === 'lead';
  return {
    role,
    ...(team.length === 0 ? {} : { team: team.join('@') }),
    ...(calls && scopes !== undefined ? { scopes } : {}),
  };
}

export function rolesOf(grants: readonly RoleGrantView[]): string {
  return grants.map(({ role, team }) => (team === null ? role : `${role}@${team}`)).join(', ') || 'none';
}
