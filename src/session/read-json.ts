import type { Request, Response } from 'express';
import { GatewayError } from '../domain/errors.ts';
import { parseJsonObject } from '../http/json-object.ts';
import { readWholeBody } from '../http/read-body.ts';

/** More than any form or object of these pages needs. */
export const BODY_BYTES_MAX = 16_384;

/**
 * The JSON object that a request brings, at most 16 KiB of it.
 *
 * @throws GatewayError `unsupported_media_type`, `payload_too_large`, `invalid_request`, `caller_gone`
 */
export async function readJson(req: Request, res: Response): Promise<Readonly<Record<string, unknown>>> {
  if (req.is('application/json') === false) {
    throw new GatewayError('unsupported_media_type', 'body: expected "Content-Type: application/json"');
  }
  return parseJsonObject(await readWholeBody(req, res, BODY_BYTES_MAX));
}
