import type { ClientBase } from 'pg';
import type { RecordFilter } from '../../domain/record.ts';
import { escapedName } from '../escaped-name.ts';
import { COMBINATIONS, type Combination, partText } from './combinations.ts';
import { requestBytes } from './request-bytes.ts';
import { SqlValues } from './sql-values.ts';

/** A filter in terms of this database: combinations as numbers. */
export interface ResolvedFilter {
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly request: Buffer | undefined;
  /** Devices and groups; of the given kind, or of any. */
  readonly targets: readonly { readonly name: string; readonly kind: string | undefined }[];
  /** Columns in which one of the numbers must stand; what tells most about an event first. */
  readonly numbers: readonly { readonly column: Combination['column']; readonly anyOf: readonly number[] }[];
}

/** Filters on names, with the columns in which they are looked for. Teams and apps go by their names too. */
const NAMED = [
  ['tokenId', ['token']],
  ['person', ['person']],
  ['app', ['app_id', 'app']],
  ['keyFingerprint', ['fingerprint']],
  ['team', ['team_id', 'team']],
  ['teams', ['team_id']],
  ['operation', ['name']],
  ['kind', ['kind']],
  ['effect', ['effect']],
  ['status', ['status']],
  ['errorSource', ['error_source']],
] as const;

/**
 * Looks a filter's names up. Undefined when there can be no such event: what is asked for is on no record.
 *
 * @throws pg's error
 */
export async function resolveFilter(client: ClientBase, filter: RecordFilter): Promise<ResolvedFilter | undefined> {
  const numbers: { column: Combination['column']; anyOf: readonly number[] }[] = [];
  for (const combination of COMBINATIONS) {
    const anyOf = await numbersOf(client, combination, filter);
    if (anyOf?.length === 0) return undefined;
    if (anyOf !== undefined) numbers.push({ column: combination.column, anyOf });
  }
  const { device, group, requestId } = filter;
  return {
    since: filter.since,
    until: filter.until,
    request: requestId === undefined ? undefined : requestBytes(requestId),
    targets: [
      ...(device === undefined ? [] : [{ name: escapedName(device), kind: undefined }]),
      ...(group === undefined ? [] : [{ name: escapedName(group), kind: 'group' }]),
    ],
    numbers,
  };
}

/** Undefined when the filter says nothing of it. */
async function numbersOf(
  client: ClientBase,
  { table, parts }: Combination,
  filter: RecordFilter,
): Promise<number[] | undefined> {
  const values = new SqlValues();
  const where: string[] = [];
  for (const [field, columns] of NAMED) {
    const asked = filter[field];
    if (asked === undefined || !parts.some(({ column }) => column === columns[0])) continue;
    // What is empty is none, and none of it is asked for.
    const names = [asked]
      .flat()
      .map(partText)
      .filter((name) => name !== '');
    const anyOf = values.add(names);
    where.push(`(${columns.map((column) => `${column} = ANY (${anyOf}::text[])`).join(' OR ')})`);
  }
  if (where.length === 0) return undefined;
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM ${table} WHERE ${where.join(' AND ')}`,
    values.all,
  );
  return rows.map(({ id }) => id);
}
