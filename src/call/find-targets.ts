import { GatewayError } from '../domain/errors.ts';
import type { Operation, Target, TargetSource } from '../domain/operation.ts';
import { parseJsonObject } from '../http/json-object.ts';
import type { Route } from '../mason/route-table.ts';
import type { Call } from './call.ts';

const NAME_CHARACTERS_MAX = 256;
/** As many as a body of the default bound can hold as UUIDs, and a record can bear. */
const TARGETS_MAX = 10_000;

/** What a call acts on as far as its path says: known, and on record, also when the call is refused. */
export function targetsInPath({ operation, parameters }: Route): Target[] {
  return operation.targets.flatMap(({ kind, from }) =>
    'path' in from
      ? [{ kind, name: decodeURIComponent(parameters[from.path] ?? '').slice(0, NAME_CHARACTERS_MAX) }]
      : [],
  );
}

/**
 * The devices and groups that a call acts on, from its path and its body, for the record. A body that reboots or wipes
 * must say plainly what it acts on; Mason judges all other bodies itself, and what cannot be read has no targets.
 *
 * @throws GatewayError `invalid_request`, `unsupported_media_type`
 */
export function findTargets(call: Call, route: Route): Target[] {
  const { operation } = route;
  const found = new Map<string, Target>();
  const add = (kind: TargetSource['kind'], name: string): void => {
    found.set(`${kind} ${name}`, { kind, name });
  };
  for (const { kind, name } of targetsInPath(route)) add(kind, name);
  let body: Readonly<Record<string, unknown>> | undefined;
  for (const { kind, from } of operation.targets) {
    if ('path' in from) continue;
    body ??= readTargetsBody(call, operation);
    for (const name of namesIn(body[from.body], from.body, isStrict(operation))) add(kind, name);
  }
  if (found.size > TARGETS_MAX) {
    throw new GatewayError('invalid_request', `a call may act on ${TARGETS_MAX} targets, this names ${found.size}`);
  }
  if (found.size === 0 && isStrict(operation) && operation.targets.length > 0) {
    const fields = operation.targets
      .map(({ from }) => JSON.stringify('body' in from ? from.body : from.path))
      .join(' or ');
    throw new GatewayError(
      'invalid_request',
      `${operation.id} must say what it acts on: expected ${fields} in the body`,
    );
  }
  return [...found.values()];
}

function isStrict(operation: Operation): boolean {
  return operation.effect === 'disruptive' || operation.effect === 'destructive';
}

function readTargetsBody(call: Call, operation: Operation): Readonly<Record<string, unknown>> {
  checkContentType(call.req.headers['content-type']);
  if (call.body === undefined) {
    if (isStrict(operation)) throw new GatewayError('invalid_request', `${operation.id} needs a body: one JSON object`);
    return {};
  }
  try {
    return parseJsonObject(call.body);
  } catch (error) {
    if (isStrict(operation)) throw error;
    return {};
  }
}

/** Absent counts as JSON; a form or another charset would be read differently by Mason than by us. */
function checkContentType(value: string | undefined): void {
  if (value === undefined) return;
  const match = /^\s*application\/(?:json|[\w.+-]+\+json)\s*(?:;\s*charset\s*=\s*"?([\w-]+)"?\s*)?$/i.exec(value);
  if (match !== null && (match[1] === undefined || match[1].toLowerCase() === 'utf-8')) return;
  throw new GatewayError(
    'unsupported_media_type',
    `expected "Content-Type: application/json" in UTF-8, got "${value}"`,
  );
}

function namesIn(value: unknown, field: string, strict: boolean): string[] {
  const names = typeof value === 'string' ? [value] : Array.isArray(value) ? value : value === undefined ? [] : [value];
  const good = names.filter(
    (name): name is string => typeof name === 'string' && name !== '' && name.length <= NAME_CHARACTERS_MAX,
  );
  if (strict && good.length !== names.length) {
    throw new GatewayError(
      'invalid_request',
      `expected "${field}" to hold names of 1 to ${NAME_CHARACTERS_MAX} characters, got ${JSON.stringify(value).slice(0, 100)}`,
    );
  }
  return good;
}
