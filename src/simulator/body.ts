import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestRecord } from './record/request-log.ts';

/** Mason's own bound on what is not an upload: assumed. */
export const BODY_BYTES_MAX = 1024 * 1024;

export interface BodyRead {
  readonly bytes: number;
  readonly sha256: string;
  /** Empty for uploads, which are counted and not held. */
  readonly content: Buffer;
  /** It is over the bound: known at once, while the rest still comes and is thrown away. */
  readonly tooLarge: boolean;
  /** False: its sender went away in the middle. */
  readonly complete: boolean;
}

/**
 * Reads a request's body to its end and notes its length and digest on the record, whatever is answered meanwhile.
 * @param hold false for uploads, which have no bound.
 */
export function readBody(request: IncomingMessage, record: RequestRecord, hold: boolean): Promise<BodyRead> {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) {
    return Promise.resolve({ ...record.body, content: Buffer.alloc(0), tooLarge: false });
  }
  const hash = createHash('sha256');
  const pieces: Buffer[] = [];
  let bytes = 0;
  record.body = { bytes: 0, sha256: '', complete: false };
  return new Promise((resolve) => {
    request.on('data', (piece: Buffer) => {
      hash.update(piece);
      bytes += piece.length;
      record.body.bytes = bytes;
      if (!hold) return;
      if (bytes <= BODY_BYTES_MAX) pieces.push(piece);
      else resolve({ bytes, sha256: '', content: Buffer.alloc(0), tooLarge: true, complete: false });
    });
    request.once('close', () => {
      record.body = { bytes, sha256: hash.digest('hex'), complete: request.complete };
      resolve({ ...record.body, content: Buffer.concat(pieces), tooLarge: false });
    });
    // Without a listener a sender that goes away would end this process; `close` follows.
    request.on('error', () => undefined);
  });
}
