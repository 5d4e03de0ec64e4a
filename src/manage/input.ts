import type { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';

/** Their values are never repeated, not even to whoever sent them: messages end up in terminals and tickets. */
const SECRET_FIELDS: ReadonlySet<PropertyKey> = new Set(['key', 'tokens']);
const SHOWN_CHARACTERS_MAX = 80;

/**
 * Checks an act's input.
 *
 * @throws GatewayError `invalid_request` with every problem at once: where, what was expected, what came.
 */
export function parseInput<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> {
  const result = schema.safeParse(raw ?? {});
  if (result.success) return result.data;
  throw new GatewayError('invalid_request', result.error.issues.map((issue) => describe(issue, raw)).join('; '));
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[where, key].filter(Boolean).join('.')}: expected no such field`).join('; ');
  }
  return `${where || 'input'}: expected ${issue.message}, got ${shown(issue.path, raw)}`;
}

function shown(path: readonly PropertyKey[], raw: unknown): string {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return 'nothing';
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  if (value === undefined || value === null) return 'nothing';
  if (path.some((step) => SECRET_FIELDS.has(step))) return '[secret]';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : JSON.stringify(value).slice(0, SHOWN_CHARACTERS_MAX);
}
