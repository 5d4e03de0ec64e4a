import type { Request, Response } from 'express';
import { GatewayError } from '../../domain/errors.ts';
import { readWholeBody } from '../../http/read-body.ts';
import { BODY_BYTES_MAX } from '../read-json.ts';

/**
 * The fields of a form, at most 16 KiB.
 *
 * @throws GatewayError `unsupported_media_type`, and what {@link readWholeBody} throws
 */
export async function readForm(req: Request, res: Response): Promise<URLSearchParams> {
  if (req.is('application/x-www-form-urlencoded') === false) {
    throw new GatewayError(
      'unsupported_media_type',
      'body: expected "Content-Type: application/x-www-form-urlencoded"',
    );
  }
  return new URLSearchParams((await readWholeBody(req, res, BODY_BYTES_MAX)).toString());
}
