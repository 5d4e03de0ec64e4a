import type { Command } from 'commander';
import type { SinkHealth } from '../domain/sink.ts';
import type { Column } from './table.ts';
import { type Cli, verb, withActs } from './verb.ts';

const SINK_COLUMNS: readonly Column<SinkHealth>[] = [
  ['SINK', ({ id }) => id],
  ['KIND', ({ kind }) => kind],
  ['FORMAT', ({ format }) => format],
  ['STATE', ({ problem }) => (problem === undefined ? 'delivering' : 'trouble')],
  ['LAG', ({ lagEvents, lagSeconds }) => `${lagEvents} events, ${lagSeconds} s`],
  ['POSITION', ({ chain, seq }) => (chain === undefined ? null : `${chain} #${seq}`)],
  ['PROBLEM', ({ problem }) => problem ?? null],
];

export function addAuditSinks(cli: Cli, audit: Command): void {
  verb(audit, 'sinks', 'shows where the record is delivered to, and how far', 'audit sinks').action(
    withActs(cli, async ({ acts, print }) => {
      await print.list(await acts.perform('audit.sinks'), SINK_COLUMNS, 'No sinks: see "sinks" in gateway.yaml.');
    }),
  );
}
