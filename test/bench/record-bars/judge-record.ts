import { ArchiveEvidence } from '../../../src/audit/verify/archive-evidence.ts';
import { verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { openKeptRecord } from '../../../src/kept-record.ts';
import { judge } from '../lane-bars/bar.ts';
import { type Installed, REQUESTS_KEPT } from './installed.ts';

/** What stands on record of calls. */
export interface OnRecord {
  /** The callers' own ids of changes that were intended. */
  readonly intended: ReadonlySet<string>;
  /** Ids of calls with an outcome. */
  readonly ended: ReadonlySet<string>;
}

/** What `audit verify` with the gateways' logs as witness says, judged: nothing may be found. */
export async function judgeChains(installed: Installed): Promise<boolean> {
  await using kept = await openKeptRecord(loadConfig(installed.installation.env));
  const { events, chains, findings, findingsTotal } = await verifyRecord({
    evidence: new ArchiveEvidence(kept.archive, kept.keys),
    witnesses: [installed.witness],
  });
  for (const { chain, seq, message } of findings.slice(0, 5)) console.log(`        ${chain} ${seq}: ${message}`);
  return judge(
    findingsTotal === 0,
    `${findingsTotal} findings of audit verify in ${events} events, ${chains.length} chains; the bar is 0`,
  );
}

export async function readOnRecord(installed: Installed): Promise<OnRecord> {
  await using kept = await openKeptRecord(loadConfig(installed.installation.env));
  const intended = new Set<string>();
  const ended = new Set<string>();
  for (const { chain } of await kept.archive.chains()) {
    for await (const { events } of kept.archive.batches(chain, 0)) {
      for (const { line, columns } of events) {
        if (line === undefined) continue;
        if (columns.kind === 'outcome' && columns.requestId !== undefined) ended.add(columns.requestId);
        const { callerRequestId } = columns.kind === 'intent' ? JSON.parse(line) : { callerRequestId: undefined };
        if (typeof callerRequestId === 'string') intended.add(callerRequestId);
      }
    }
  }
  return { intended, ended };
}

/** Changes that the simulator saw, by the callers' own ids. @throws Error when some may have been forgotten before this look */
export class SeenChanges {
  readonly ids = new Set<string>();
  readonly #installed: Installed;
  #lastSeq = 0;

  constructor(installed: Installed) {
    this.#installed = installed;
  }

  async look(): Promise<void> {
    const requests = await this.#installed.simulator.requests(REQUESTS_KEPT);
    const [oldest] = requests;
    if (oldest !== undefined && oldest.seq > this.#lastSeq + 1) throw new Error('the simulator forgot requests');
    for (const { seq, target } of requests) {
      if (seq <= this.#lastSeq) continue;
      const [, id] = /\/notify\/.*[?&]n=(\w+)/.exec(target ?? '') ?? [];
      if (id !== undefined) this.ids.add(id);
      this.#lastSeq = seq;
    }
  }
}

export function lacking(wanted: Iterable<string>, there: ReadonlySet<string>): string[] {
  return [...wanted].filter((id) => !there.has(id));
}
