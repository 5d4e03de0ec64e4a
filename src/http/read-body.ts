import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../domain/errors.ts';
import type { LeaveSignal } from '../domain/lane.ts';
import { hasBody } from './body-time.ts';
import { bodyRefusal, MALFORMED } from './public-server.ts';

/** A request whose body is read, until its signal aborts. */
export interface Reading {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly signal: LeaveSignal;
}

/**
 * The whole body, or undefined when there is none. A `Content-Length` beyond the bound is refused before a byte of it
 * is asked for.
 *
 * @throws GatewayError `payload_too_large`, `unsupported_media_type` (a coded body), `caller_gone`, what the parser refuses
 */
export function readBody(reading: Reading, bodyBytesMax: number): Promise<Buffer | undefined> | undefined {
  const { req, res } = reading;
  if (!announcesBody(req, bodyBytesMax)) return undefined;
  // HTTP/1.0 has no interim answers, and its expectations are ignored (RFC 9110 section 10.1.1).
  if (req.headers.expect !== undefined && req.httpVersion !== '1.0') res.writeContinue();
  return collect(reading, bodyBytesMax).then((body) => (body.length === 0 ? undefined : body));
}

/**
 * As {@link readBody}, where nothing else watches whether the caller stays; empty where there is none.
 *
 * @throws GatewayError as {@link readBody} does
 */
export async function readWholeBody(req: IncomingMessage, res: ServerResponse, bodyBytesMax: number): Promise<Buffer> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort(new GatewayError('caller_gone', 'the caller hung up'));
  res.once('close', leave);
  try {
    return (await readBody({ req, res, signal: leaving.signal }, bodyBytesMax)) ?? Buffer.alloc(0);
  } finally {
    res.off('close', leave);
  }
}

/**
 * Whether a body comes, as its head says.
 *
 * @throws GatewayError `payload_too_large`, `unsupported_media_type`
 */
export function announcesBody(req: IncomingMessage, bytesMax: number): boolean {
  if (!hasBody(req)) return false;
  // The bytes go to Mason as they are, without their coding's name: a coded body would be misread there.
  const coding = req.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new GatewayError(
      'unsupported_media_type',
      `a body with "Content-Encoding: ${coding}" is not taken; send it plain`,
    );
  }
  const declared = Number(req.headers['content-length'] ?? 0);
  if (declared > bytesMax) throw tooLarge(bytesMax, `${declared} bytes`);
  return true;
}

function collect({ req, signal }: Reading, bodyBytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (finish: () => void): void => {
      req.off('data', onData);
      req.off('end', onEnd);
      req.off(MALFORMED, onMalformed);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= bodyBytesMax) {
        chunks.push(chunk);
        return;
      }
      req.pause();
      settle(() => reject(tooLarge(bodyBytesMax, 'more')));
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const onMalformed = (error: unknown): void => settle(() => reject(error));
    const onAbort = (): void => settle(() => reject(signal.reason));
    const over = signal.aborted ? signal.reason : bodyRefusal(req);
    if (over !== undefined) {
      reject(over);
      return;
    }
    req.on('data', onData);
    req.on('end', onEnd);
    req.on(MALFORMED, onMalformed);
    signal.addEventListener('abort', onAbort);
  });
}

export function tooLarge(bodyBytesMax: number, got: string): GatewayError {
  return new GatewayError('payload_too_large', `the body may have ${bodyBytesMax} bytes, it has ${got}`);
}
