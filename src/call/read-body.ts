import { GatewayError } from '../domain/errors.ts';
import { bodyRefusal, MALFORMED } from '../http/public-server.ts';
import type { Call } from './call.ts';

type Reading = Pick<Call, 'req' | 'res' | 'signal'>;

/**
 * The whole body, or undefined when there is none. A `Content-Length` beyond the bound is refused before a byte of it
 * is asked for.
 *
 * @throws GatewayError `payload_too_large`, `unsupported_media_type` (a coded body), `caller_gone`, what the parser refuses
 */
export function readBody(call: Reading, bodyBytesMax: number): Promise<Buffer | undefined> | undefined {
  const { req } = call;
  const declared = req.headers['content-length'];
  const chunked = req.headers['transfer-encoding'] !== undefined;
  if (!chunked && (declared === undefined || declared === '0')) return undefined;
  // The bytes go to Mason as they are, without their coding's name: a coded body would be misread there.
  const coding = req.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new GatewayError(
      'unsupported_media_type',
      `a body with "Content-Encoding: ${coding}" is not taken; send it plain`,
    );
  }
  if (declared !== undefined && Number(declared) > bodyBytesMax) throw tooLarge(bodyBytesMax, `${declared} bytes`);
  // HTTP/1.0 has no interim answers, and its expectations are ignored (RFC 9110 section 10.1.1).
  if (req.headers.expect !== undefined && req.httpVersion !== '1.0') call.res.writeContinue();
  return collect(call, bodyBytesMax).then((body) => (body.length === 0 ? undefined : body));
}

function collect(call: Reading, bodyBytesMax: number): Promise<Buffer> {
  const { req, signal } = call;
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

function tooLarge(bodyBytesMax: number, got: string): GatewayError {
  return new GatewayError('payload_too_large', `the body may have ${bodyBytesMax} bytes, it has ${got}`);
}
