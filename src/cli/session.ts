import type { SessionView } from '../manage/session-acts.ts';
import { localTime } from './local-time.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<SessionView>[] = [
  ['SESSION', (session) => session.id],
  ['PERSON', (session) => session.personId],
  ['NAME', (session) => session.person],
  ['LAST SEEN', (session) => localTime(session.lastSeenAt)],
  ['ENDS', (session) => localTime(session.endsAt)],
];

export function addSession(cli: Cli): void {
  const session = noun(cli, 'session', 'browsers that are signed in');

  verb(session, 'list', 'lists sessions, last used first', 'session list --person per_…')
    .option('--person <id>', 'of this person only')
    .action(
      withActs(cli, async ({ acts, print }, { person }) => {
        await print.list(await acts.perform('session.list', { person }), COLUMNS, 'Nobody is signed in.');
      }),
    );

  verb(
    session,
    'end <id>',
    'signs a browser out, and ends the calls that it has under way',
    'session end ses_…',
  ).action(
    withActs(cli, async ({ acts, print }, _options, [id]) => {
      const answer = await acts.perform('session.end', { id });
      await print.one(answer, [`Ended the session ${answer.ended}.`]);
    }),
  );
}
