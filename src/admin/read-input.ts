import type { Request, Response } from 'express';
import { GatewayError } from '../domain/errors.ts';
import { parseJsonObject } from '../http/json-object.ts';
import { readWholeBody } from '../http/read-body.ts';
import type { Route } from './routes.ts';

/** A thousand leaked tokens fit, with room; so does a file for `apply` with some hundred teams. */
const BODY_BYTES_MAX = 262_144;
// RFC 8259 section 8.1: JSON that systems exchange is UTF-8.
const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?$/i;

/**
 * What an act is given: fields of the path, and, by the method, of the query or of the body. Each field comes from one place:
 * what says a thing twice means two things.
 *
 * @param query with its leading `?`
 * @throws GatewayError `invalid_request`, `unsupported_media_type`, `payload_too_large`, `caller_gone`
 */
export async function readInput(
  req: Request,
  res: Response,
  { method }: Route,
  query: string,
): Promise<Readonly<Record<string, unknown>>> {
  const fromQuery = fieldsOf(query);
  const bears = method === 'POST' || method === 'PATCH';
  if (bears && Object.keys(fromQuery).length > 0) {
    throw invalid(`query: expected none with ${method}: its fields stand in the body, where no log shows them`);
  }
  if (!bears && hasBody(req)) throw invalid(`body: expected none with ${method}`);
  const rest = bears ? await readFields(req, res) : fromQuery;
  for (const field of Object.keys(req.params)) {
    if (Object.hasOwn(rest, field)) throw invalid(`${field}: expected in the path only, got it twice`);
  }
  return { ...rest, ...req.params };
}

async function readFields(req: Request, res: Response): Promise<Readonly<Record<string, unknown>>> {
  if (!hasBody(req)) return {};
  const type = req.headers['content-type'];
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new GatewayError(
      'unsupported_media_type',
      `Content-Type: expected application/json in UTF-8, got ${type ?? 'nothing'}`,
    );
  }
  const body = await readWholeBody(req, res, BODY_BYTES_MAX);
  return body.length === 0 ? {} : parseJsonObject(body);
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function fieldsOf(query: string): Readonly<Record<string, string>> {
  const fields = new Map<string, string>();
  for (const [field, value] of new URLSearchParams(query)) {
    if (fields.has(field)) throw invalid(`${field.slice(0, 64)}: expected once in the query, got it twice`);
    fields.set(field, value);
  }
  return Object.fromEntries(fields);
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_request', message);
}
