import type { Request, Response } from 'express';
import { GatewayError } from '../domain/errors.ts';
import { bodyRefusal, MALFORMED } from '../http/public-server.ts';

const BODY_BYTES_MAX = 16_384;

/**
 * The JSON object that a request brings, at most 16 KiB of it.
 *
 * @throws GatewayError `unsupported_media_type`, `payload_too_large`, `invalid_request`, `caller_gone`
 */
export async function readJson(req: Request, res: Response): Promise<Readonly<Record<string, unknown>>> {
  if (req.is('application/json') === false || req.headers['content-encoding'] !== undefined) {
    throw new GatewayError('unsupported_media_type', 'body: expected "Content-Type: application/json", not compressed');
  }
  const body = await readBody(req, res);
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new GatewayError('invalid_request', 'body: expected JSON, got something else');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new GatewayError('invalid_request', 'body: expected a JSON object, got something else');
}

/**
 * The body, at most 16 KiB of it.
 *
 * @throws GatewayError `payload_too_large`, `caller_gone`, what the parser refuses
 */
export async function readBody(req: Request, res: Response): Promise<Buffer> {
  const refusal = bodyRefusal(req);
  if (refusal !== undefined) throw refusal;
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  if (req.headers.expect !== undefined && req.httpVersion !== '1.0') res.writeContinue();
  const malformed = Promise.withResolvers<never>();
  req.once(MALFORMED, malformed.reject);
  try {
    return await Promise.race([collect(req), malformed.promise]);
  } finally {
    req.off(MALFORMED, malformed.reject);
  }
}

async function collect(req: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Kept open: the refusal is still to be answered on it.
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError('caller_gone', 'the caller hung up before the body had come', { cause: error });
  }
  return Buffer.concat(chunks);
}

function tooLarge(): GatewayError {
  return new GatewayError('payload_too_large', `body: expected at most ${BODY_BYTES_MAX} bytes, got more`);
}
