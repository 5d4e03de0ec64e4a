import type { Command } from 'commander';
import type { PruneView } from '../manage/retention-acts.ts';
import type { Column } from './table.ts';
import { type Cli, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<PruneView['data'][number]>[] = [
  ['CHAIN', ({ chain }) => chain],
  ['FROM', ({ firstSeq }) => String(firstSeq)],
  ['TO', ({ lastSeq }) => String(lastSeq)],
  ['WHAT', ({ taken }) => (taken === 'events' ? 'events, whole' : 'bytes; digests stay')],
  ['EVENTS', ({ events }) => String(events)],
];

export function addAuditPrune(cli: Cli, audit: Command): void {
  verb(
    audit,
    'prune',
    'takes out of the record what is older, or more, than record.retention allows; gateways do so once an hour',
    'audit prune --dry-run',
  )
    .option('--dry-run', 'only say what would go')
    .action(
      withActs(cli, async ({ acts, print }, { dryRun }) => {
        const isDry = dryRun === true;
        const view = await acts.perform(isDry ? 'audit.prune.preview' : 'audit.prune');
        await print.list(view, COLUMNS, isDry ? 'Nothing would go.' : 'Nothing went.');
        for (const reason of view.heldBack) await print.aside(`Held back: ${reason}`);
        const after = view.bytesAfter === null ? '' : `, and takes ${view.bytesAfter} now`;
        await print.aside(`The record ${view.bytesAfter === null ? 'takes' : 'took'} ${view.bytes} bytes${after}.`);
      }),
    );
}
