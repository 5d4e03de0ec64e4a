import type { ClientBase } from 'pg';
import type { BatchEvent } from '../batch-events.ts';
import { type Head, nextLink } from '../chain.ts';
import { escapedName } from '../escaped-name.ts';
import { idSql } from './event-id.ts';
import type { RecordNames } from './record-names.ts';
import { requestBytes } from './request-bytes.ts';

const DIGEST_BYTES = 32;

/**
 * One statement, which is one transaction and one way there and back: nobody can die in the middle of it, and it leaves no lock
 * behind. It moves the head from where it is known to stand, or does nothing at all. Lines come as one text, since as an
 * array each of their quotes would have to be escaped.
 */
const WRITE = `WITH head AS (
    UPDATE record_chain
    SET seq = $4, batch = $5, link = $6, written_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    WHERE id = $1 AND seq = $2 AND link = $3 AND is_open
    RETURNING id
  ), batch AS (
    INSERT INTO record_batch (chain, first_seq, last_seq, n, link, low_at, high_at)
    SELECT id, $2::bigint + 1, $4, $5, $6, $7, $8 FROM head
  ), event AS (
    INSERT INTO record_event (id, at, caller, owner, operation, class, request, digest, line)
    SELECT ${idSql('head.id', '$2')} + e.n, e.at, e.caller, e.owner, e.operation, e.class, e.request,
      substring($9::bytea FROM ((e.n - 1) * ${DIGEST_BYTES} + 1)::integer FOR ${DIGEST_BYTES}), e.line
    FROM head, ROWS FROM (
      unnest($10::bigint[]), unnest($11::integer[]), unnest($12::integer[]), unnest($13::integer[]),
      unnest($14::integer[]), unnest($15::bytea[]), unnest(string_to_array($16, chr(10)))
    ) WITH ORDINALITY AS e (at, caller, owner, operation, class, request, line, n)
  ), target AS (
    INSERT INTO record_target (id, at, n, kind, name)
    SELECT ${idSql('head.id', '$2')} + t.event, t.at, t.n, coalesce(t.kind, ''), coalesce(t.name, '')
    FROM head, ROWS FROM (
      unnest($17::integer[]), unnest($18::bigint[]), unnest($19::integer[]), unnest(string_to_array($20, chr(10))),
      unnest(string_to_array($21, chr(10)))
    ) AS t (event, at, n, kind, name)
  )
  SELECT 1 FROM head`;

/**
 * Writes a batch behind `head`, whole or not at all, and says where the chain stands then. Undefined when it does not stand
 * at `head`, or is not open any more. What occurs in it must have been learnt, its weeks must have partitions.
 *
 * @throws pg's error: nobody knows then whether it is written, or still will be
 */
export async function writeBatch(
  client: ClientBase,
  chain: number,
  n: number,
  events: readonly BatchEvent[],
  head: Head,
  names: RecordNames,
): Promise<Head | undefined> {
  const digests = events.map(({ digest }) => digest);
  const next: Head = { seq: head.seq + events.length, batch: n, link: nextLink(head.link, digests) };
  const instants = events.map(({ columns }) => columns.at);
  const numbers = names.numbers(events);
  const result = await client.query({
    name: 'record-batch',
    text: WRITE,
    values: [
      chain,
      head.seq,
      Buffer.from(head.link),
      next.seq,
      n,
      Buffer.from(next.link),
      instants.reduce((low, at) => Math.min(low, at)),
      instants.reduce((high, at) => Math.max(high, at)),
      Buffer.concat(digests),
      list(instants),
      ...(['caller', 'owner', 'operation', 'class'] as const).map((column) => list(numbers.get(column) ?? [])),
      list(events.map(({ columns }) => `"\\\\x${requestBytes(columns.requestId).toString('hex')}"`)),
      events.map(({ line }) => line).join('\n'),
      ...targetValues(events),
    ],
  });
  return result.rowCount === 1 ? next : undefined;
}

function targetValues(events: readonly BatchEvent[]): string[] {
  const places: number[] = [];
  const instants: number[] = [];
  const numbers: number[] = [];
  const kinds: string[] = [];
  const names: string[] = [];
  for (const [event, { targets, columns }] of events.entries()) {
    for (let n = 0; n * 2 + 1 < targets.length; n += 1) {
      places.push(event + 1);
      instants.push(columns.at);
      numbers.push(n);
      kinds.push(escapedName(targets[n * 2]));
      names.push(escapedName(targets[n * 2 + 1]));
    }
  }
  return [list(places), list(instants), list(numbers), kinds.join('\n'), names.join('\n')];
}

/** An array as PostgreSQL reads it from text. */
function list(values: readonly (number | string)[]): string {
  return `{${values.join(',')}}`;
}
