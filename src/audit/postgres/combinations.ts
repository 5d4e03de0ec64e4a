import type { EventColumns } from '../../domain/archive.ts';
import { escapedName, plainName } from '../escaped-name.ts';

/** Columns of an event that come in few combinations, each of which stands once, in a table, and has a number. */
export interface Combination {
  readonly table: string;
  /** The column of the event that holds the number. */
  readonly column: 'caller' | 'owner' | 'operation' | 'class';
  readonly parts: readonly Part[];
}

export interface Part {
  readonly column: string;
  readonly of: Exclude<keyof EventColumns, 'at' | 'requestId'>;
}

/**
 * What tells most about an event first. Teams have few keys, apps few tokens, and of kinds, effects, states and sources some
 * dozens occur: so each of them leads to few numbers, and four indexes serve eleven columns.
 */
export const COMBINATIONS: readonly Combination[] = [
  combination('caller', { app_id: 'appId', app: 'app', person: 'personId', token: 'tokenId' }),
  combination('owner', { team_id: 'teamId', team: 'team', fingerprint: 'keyFingerprint' }),
  combination('operation', { name: 'operation' }),
  combination('class', { kind: 'kind', effect: 'effect', status: 'status', error_source: 'errorSource' }),
];

/** As text: what is none is empty. Escaped names hold no line feed. */
export function combinationKey({ parts }: Combination, columns: Partial<EventColumns>): string {
  return parts.map(({ of }) => partText(columns[of])).join('\n');
}

export function partText(value: string | number | undefined): string {
  return typeof value === 'number' ? String(value) : escapedName(value);
}

/** The columns that stand in a row of such a table, or of all of them. */
export function columnsOf(row: Readonly<Record<string, unknown>>, { parts }: Combination): Partial<EventColumns> {
  const columns: Record<string, unknown> = {};
  for (const { column, of } of parts) {
    const text = plainName(String(row[column] ?? ''));
    columns[of] = of === 'status' && text !== undefined ? Number(text) : text;
  }
  return columns;
}

function combination(column: Combination['column'], parts: Readonly<Record<string, Part['of']>>): Combination {
  return {
    table: `record_${column}`,
    column,
    parts: Object.entries(parts).map(([part, of]) => ({ column: part, of })),
  };
}
