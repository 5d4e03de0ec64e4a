import { z } from 'zod';

/** One operation as the description has it. */
export interface DescribedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Json;
}

// biome-ignore lint/suspicious/noExplicitAny: a document of others' making, as far as a test is concerned
export type Json = any;

export function operationsOf(document: Json): DescribedOperation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** What a reference in the document points at, references within it followed too. */
export function resolved(document: Json, value: Json): Json {
  if (Array.isArray(value)) return value.map((each) => resolved(document, each));
  if (typeof value !== 'object' || value === null) return value;
  if (typeof value.$ref === 'string') {
    const found = value.$ref
      .replace(/^#\//, '')
      .split('/')
      .reduce((at: Json, step: string) => at?.[step], document);
    if (found === undefined) throw new Error(`${value.$ref} points nowhere`);
    return resolved(document, found);
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolved(document, each)]));
}

/** Checks a value against a schema of the document, as a client would that has nothing else. */
export function problemsWith(document: Json, schema: Json, value: unknown): string[] {
  const result = z.fromJSONSchema(resolved(document, schema)).safeParse(value);
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}
