import { altered } from './record-bars/altered.ts';
import { askingPostgres, askingSqlite } from './record-bars/asking.ts';
import { cost } from './record-bars/cost.ts';
import { faultsPostgres, faultsSqlite } from './record-bars/faults.ts';
import { killPostgres, killSqlite } from './record-bars/kill.ts';
import { runParts } from './run-parts.ts';

await runParts({
  script: 'bench:record',
  about: 'The record against its bars.',
  extent: { word: 'long', means: 'ten times as much of what takes long.' },
  parts: [killSqlite, killPostgres, altered, cost, askingSqlite, askingPostgres, faultsSqlite, faultsPostgres],
});
