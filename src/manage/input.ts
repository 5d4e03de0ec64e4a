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
  throw new GatewayError('invalid_request', problemsOf(result.error, raw).join('; '));
}

/** What is wrong with an input, each with its place; empty where nothing is. */
export function inputProblems(schema: z.ZodType, raw: unknown): readonly string[] {
  const result = schema.safeParse(raw);
  return result.success ? [] : problemsOf(result.error, raw);
}

function problemsOf(error: z.ZodError, raw: unknown): readonly string[] {
  return error.issues.flatMap(innermost).map((issue) => describe(issue, raw));
}

/** Of several forms the one that was meant, where that can be told: what is wrong in it says more than that no form fits. */
function innermost(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((issues) => issues.every(({ path }) => path.length > 0));
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue];
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string {
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[where, key].filter(Boolean).join('.')}: expected no such field`).join('; ');
  }
  // The name itself is wrong, not what it names.
  if (issue.code === 'invalid_key') {
    const name = JSON.stringify(String(issue.path.at(-1))).slice(0, SHOWN_CHARACTERS_MAX);
    return `${where}: expected ${issue.issues[0]?.message ?? 'another name'}, got ${name}`;
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
