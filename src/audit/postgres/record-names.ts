import type { ClientBase } from 'pg';
import type { EventColumns } from '../../domain/archive.ts';
import type { BatchEvent } from '../batch-events.ts';
import { COMBINATIONS, type Combination, combinationKey } from './combinations.ts';

/** Combinations kept in memory of each kind; beyond, they are asked for anew. */
const KEPT_MAX = 65_536;

/** The numbers of combinations, made where they are new. Known ones cost no look at the database. */
export class RecordNames {
  readonly #numbers = new Map<Combination, Map<string, number>>(COMBINATIONS.map((each) => [each, new Map()]));

  /**
   * Makes sure that all that occurs in a batch has numbers.
   *
   * @throws pg's error
   */
  async learn(client: ClientBase, events: readonly BatchEvent[]): Promise<void> {
    for (const [combination, numbers] of this.#numbers) {
      if (numbers.size > KEPT_MAX) numbers.clear();
      const keys = new Set(events.map(({ columns }) => combinationKey(combination, columns)));
      const unknown = [...keys].filter((key) => !numbers.has(key));
      if (unknown.length > 0) await learnAll(client, combination, unknown, numbers);
    }
  }

  /** By column of the event, in the order of the events. They must have been learnt. */
  numbers(events: readonly { readonly columns: EventColumns }[]): Map<Combination['column'], number[]> {
    const all = new Map<Combination['column'], number[]>();
    for (const [combination, numbers] of this.#numbers) {
      const column = events.map(({ columns }) => numbers.get(combinationKey(combination, columns)) ?? 0);
      all.set(combination.column, column);
    }
    return all;
  }
}

/** Writes them all: of what is new to this gateway most is new to all. */
async function learnAll(
  client: ClientBase,
  { table, parts }: Combination,
  keys: readonly string[],
  numbers: Map<string, number>,
): Promise<void> {
  const rows = keys.map((key) => key.split('\n'));
  const values = parts.map((_, n) => rows.map((row) => row[n]));
  const list = parts.map(({ column }) => column).join(', ');
  const asked = `unnest(${parts.map((_, n) => `$${n + 1}::text[]`).join(', ')})`;
  await client.query(`INSERT INTO ${table} (${list}) SELECT * FROM ${asked} ON CONFLICT DO NOTHING`, values);
  const found = await client.query<Record<string, string | number>>(
    `SELECT id, ${list} FROM ${table} JOIN ${asked} AS asked (${list}) USING (${list})`,
    values,
  );
  for (const row of found.rows) numbers.set(parts.map(({ column }) => row[column]).join('\n'), Number(row['id']));
}
