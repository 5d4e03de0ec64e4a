import type { Request, Response } from 'express';
import { GatewayError } from '../../domain/errors.ts';
import { readBody } from '../read-json.ts';

/**
 * The fields of a form, at most 16 KiB.
 *
 * @throws GatewayError `unsupported_media_type`, and what {@link readBody} throws
 */
export async function readForm(req: Request, res: Response): Promise<URLSearchParams> {
  if (req.is('application/x-www-form-urlencoded') === false || req.headers['content-encoding'] !== undefined) {
    throw new GatewayError(
      'unsupported_media_type',
      'body: expected "Content-Type: application/x-www-form-urlencoded", not compressed',
    );
  }
  return new URLSearchParams((await readBody(req, res)).toString());
}
