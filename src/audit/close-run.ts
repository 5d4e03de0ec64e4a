import { randomUUIDv7 } from 'node:crypto';
import type { RecordArchive } from '../domain/archive.ts';
import type { Clock } from '../domain/clock.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { UsageStore } from '../domain/usage.ts';
import { isEndOf, type OpenIntent, OpenIntents, unknownEnd } from './open-intents.ts';
import { UsageRecount } from './usage-recount.ts';

export interface CloseRunRooms {
  readonly clock: Clock;
  readonly record: Pick<AuditRecord, 'intend' | 'query'> & { readonly archive: Pick<RecordArchive, 'batches'> };
  readonly usage: UsageStore;
}

/** So many ends are written at once. */
const ENDS_AT_ONCE = 32;
/** Events of one request id: an intent, its end, and the ends of those who died over closing it. */
const EVENTS_MAX = 1_000;

/**
 * Brings the chain of a run that died to its end: of each intent without an outcome it stands on record, in the chain of whoever
 * does this, that its end is unknown; and what calls ended in it is counted. Whoever does it after one who died over it does
 * only what is left.
 *
 * @param goOn is asked before each piece of work; throws when this is not ours any more
 * @returns how many ends were written
 * @throws GatewayError `store_unavailable`, `record_unavailable`; what `goOn` throws
 */
export async function closeRun(
  { clock, record, usage }: CloseRunRooms,
  chain: string,
  goOn: () => Promise<void>,
): Promise<number> {
  const intents = new OpenIntents(chain);
  const recount = await UsageRecount.begin(usage, chain);
  let last = '';
  for await (const batch of record.archive.batches(chain, 0)) {
    await goOn();
    for (const event of batch.events) {
      intents.see(event);
      last = event.columns.operation ?? '';
    }
    await recount.see(batch);
  }
  await recount.end();
  let written = 0;
  const open = intents.list();
  for (let at = 0; at < open.length; at += ENDS_AT_ONCE) {
    await goOn();
    const left = await stillOpen(record, open.slice(at, at + ENDS_AT_ONCE));
    await Promise.all(left.map((intent) => record.intend(unknownEnd(intent, clock.epochMs()))));
    written += left.length;
  }
  if (written > 0 || last !== 'gateway.stop') {
    await record.intend({
      kind: 'admin',
      requestId: randomUUIDv7(),
      at: clock.epochMs(),
      actor: { kind: 'gateway' },
      act: 'gateway.close',
      details: { chain, unknown: written },
      result: 'done',
    });
  }
  return written;
}

async function stillOpen(record: CloseRunRooms['record'], intents: readonly OpenIntent[]): Promise<OpenIntent[]> {
  const left: OpenIntent[] = [];
  for (const intent of intents) {
    const { events } = await record.query({ requestId: intent.requestId }, { limit: EVENTS_MAX });
    if (!events.some((event) => isEndOf(intent, event))) left.push(intent);
  }
  return left;
}
