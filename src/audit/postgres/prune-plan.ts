import type { ClientBase } from 'pg';
import type { TakenOut } from '../../domain/archive.ts';
import { chainName } from '../chain.ts';
import { escapedName } from '../escaped-name.ts';
import { heldBySink } from '../retention/held-by-sink.ts';
import type { Going, PruneAsked, PrunePlan } from '../retention/record-pruner.ts';
import { saidAgain, takenBy } from '../retention/said-again.ts';
import { chainSql, idSql, seqSql } from './event-id.ts';
import { weeksToDrop } from './weeks-to-drop.ts';

/** A stretch of a chain from its beginning, by the number of the chain. */
interface Prefix {
  readonly id: number;
  readonly gateway_id: string;
  readonly run: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly link: Uint8Array;
}

/** Of each chain the batches before the first that has an event that stays. */
const PREFIXES = `
  SELECT c.id, c.gateway_id, c.run, c.first_seq, b.last_seq, b.link FROM record_chain c CROSS JOIN LATERAL (
    SELECT last_seq, link FROM record_batch WHERE chain = c.id AND first_seq < coalesce(
      (SELECT min(first_seq) FROM record_batch WHERE chain = c.id AND high_at >= $1), 9223372036854775807)
    ORDER BY first_seq DESC LIMIT 1
  ) b ORDER BY c.run`;

const OPEN_INTENTS = `
  SELECT count(*)::integer AS count FROM record_event e JOIN record_class c ON c.id = e.class
  WHERE e.id BETWEEN ${idSql('$1', '$2')} AND ${idSql('$1', '$3')} AND e.line IS NOT NULL
    AND (c.kind = 'intent' OR (c.kind = 'admin' AND e.line LIKE '%"result":"intended"%'))
    AND NOT EXISTS (SELECT FROM record_event o WHERE o.request = e.request AND o.id <> e.id
      AND substring(o.request FROM 3 FOR 4) = substring(e.request FROM 3 FOR 4))`;

const SAID = `
  SELECT line FROM record_event WHERE id BETWEEN ${idSql('$1', '$2')} AND ${idSql('$1', '$3')} AND line IS NOT NULL
    AND operation IN (SELECT id FROM record_operation WHERE name IN ('audit.prune', 'audit.erase')) ORDER BY id`;

/** SQL for the events of a team before an instant that have bytes. */
export const TEAM_WITH_BYTES =
  'e.line IS NOT NULL AND e.at < $2 AND e.owner IN (SELECT id FROM record_owner WHERE team = $1)';

const BYTES = `
  SELECT c.gateway_id, c.run, count(*)::integer AS events, min(${seqSql('e.id')}) AS first, max(${seqSql('e.id')}) AS last
  FROM record_event e JOIN record_chain c ON c.id = ${chainSql('e.id')}
  WHERE ${TEAM_WITH_BYTES} GROUP BY c.gateway_id, c.run ORDER BY c.run`;

/**
 * What would go of the record in a database.
 *
 * @throws pg's error
 */
export async function planPrune(client: ClientBase, asked: PruneAsked): Promise<PrunePlan> {
  const { until, before, bytes } = await weeksToDrop(client, asked);
  const heldBack: string[] = [];
  const events: Going[] = [];
  const said: TakenOut[] = [];
  const firstKept = await beginnings(client);
  for (const prefix of until === undefined ? [] : await prefixes(client, before)) {
    const chain = chainName(prefix.gateway_id, prefix.run);
    const reason = heldBySink(asked, chain, prefix.last_seq) ?? (await openIntents(client, prefix));
    if (reason !== undefined) {
      heldBack.push(`${chain} from event ${prefix.first_seq} on: ${reason}`);
      continue;
    }
    said.push(...(await saidIn(client, prefix)));
    events.push(wholeBatches(chain, prefix));
    firstKept.set(chain, prefix.last_seq + 1);
  }
  const bodies: Going[] = [];
  for (const { team, before: teamBefore } of asked.teams) {
    for (const going of await bytesOf(client, team, teamBefore)) {
      const reason = heldBySink(asked, going.chain, going.lastSeq);
      if (reason === undefined) bodies.push(going);
      else heldBack.push(`${going.chain}, events of ${team}: ${reason}`);
    }
  }
  return { going: [...events, ...bodies], saidAgain: saidAgain(said, events, firstKept), bytes, heldBack };
}

async function prefixes(client: ClientBase, before: number): Promise<Prefix[]> {
  return (await client.query<Prefix>(PREFIXES, [before])).rows;
}

async function beginnings(client: ClientBase): Promise<Map<string, number>> {
  const { rows } = await client.query<Prefix>('SELECT gateway_id, run, first_seq FROM record_chain');
  return new Map(rows.map((row) => [chainName(row.gateway_id, row.run), row.first_seq]));
}

async function openIntents(client: ClientBase, { id, first_seq, last_seq }: Prefix): Promise<string | undefined> {
  const { rows } = await client.query<{ count: number }>(OPEN_INTENTS, [id, first_seq, last_seq]);
  const count = rows[0]?.count ?? 0;
  return count === 0 ? undefined : `what became of ${count} intended changes is not on record yet`;
}

async function saidIn(client: ClientBase, { id, first_seq, last_seq }: Prefix): Promise<TakenOut[]> {
  const { rows } = await client.query<{ line: string }>(SAID, [id, first_seq, last_seq]);
  return rows.flatMap(({ line }) => takenBy(line) ?? []);
}

async function bytesOf(client: ClientBase, team: string, before: number): Promise<Going[]> {
  const { rows } = await client.query<{
    gateway_id: string;
    run: string;
    events: number;
    first: number;
    last: number;
  }>(BYTES, [escapedName(team), before]);
  return rows.map(({ gateway_id, run, events, first, last }) => {
    return { chain: chainName(gateway_id, run), firstSeq: first, lastSeq: last, taken: 'bytes', events, team };
  });
}

function wholeBatches(chain: string, { first_seq: firstSeq, last_seq: lastSeq, link }: Prefix): Going {
  const lastLink = Buffer.from(link).toString('hex');
  return { chain, firstSeq, lastSeq, taken: 'events', events: lastSeq - firstSeq + 1, lastLink };
}
