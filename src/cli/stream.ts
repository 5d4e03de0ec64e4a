import type { StreamView } from '../manage/stream-acts.ts';
import { localTime } from './local-time.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<StreamView>[] = [
  ['STREAM', (stream) => stream.id],
  ['TEAM', (stream) => stream.team],
  ['WHAT', (stream) => stream.operation],
  ['DEVICE', (stream) => stream.device],
  ['HOLDER', (stream) => stream.holder],
  ['FROM', (stream) => stream.address],
  ['SINCE', (stream) => localTime(stream.openedAt)],
  ['BYTES IN', (stream) => stream.bytesIn],
  ['BYTES OUT', (stream) => stream.bytesOut],
];

export function addStream(cli: Cli): void {
  const stream = noun(cli, 'stream', 'X-Ray sessions that are open at this gateway');

  verb(stream, 'list', 'lists open sessions, oldest first', 'stream list --team acme')
    .option('--team <team>', 'of this team only')
    .action(
      withActs(cli, async ({ acts, print }, { team }) => {
        await print.list(await acts.perform('stream.list', { team }), COLUMNS, 'No session is open.');
      }),
    );

  verb(stream, 'end <id>', 'ends a session; both its sides are told', 'stream end 019a…').action(
    withActs(cli, async ({ acts, print }, _options, [id]) => {
      const answer = await acts.perform('stream.end', { id });
      await print.one(answer, [`Ended the session ${answer.ended}.`]);
    }),
  );
}
