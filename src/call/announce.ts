import type { AuditRecord } from '../domain/record.ts';
import type { Call } from './call.ts';
import { callFacts } from './finish.ts';

/**
 * Before its turn comes, a change is on record: if the gateway died the next instant, the record would still say who
 * wanted what. A read only makes sure that the record has room for it.
 *
 * @throws GatewayError `record_unavailable`: no change is sent that is not on record
 */
export function announce(record: AuditRecord, call: Call): Promise<void> | undefined {
  return call.changes ? intend(record, call) : record.room();
}

async function intend(record: AuditRecord, call: Call): Promise<void> {
  await record.intend({ kind: 'intent', ...callFacts(call) });
  call.intended = true;
}
