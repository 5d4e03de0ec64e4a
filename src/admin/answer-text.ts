import type { ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import type { TextAnswer } from '../manage/act.ts';

/** A reader who takes nothing for so long is gone. */
const DRAIN_MS_MAX = 60_000;

/**
 * Answers piece by piece, no faster than it is read: the next piece is made when the one before is on its way. What fails before
 * the first is thrown; after it the connection is cut, so that nobody takes a part for the whole.
 */
export async function answerText(
  res: ServerResponse,
  { contentType, text }: TextAnswer,
  headers: Record<string, string>,
): Promise<void> {
  try {
    for await (const piece of text) {
      if (!res.headersSent) res.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': contentType, ...headers });
      // Who asked by HEAD, or has left, reads no more.
      if (res.req.method === 'HEAD' || res.destroyed) break;
      if (!res.write(piece, 'latin1') && !(await drained(res))) break;
    }
    if (!res.headersSent) res.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': contentType, ...headers });
    if (!res.destroyed) res.end();
  } catch (error) {
    if (!res.headersSent) throw error;
    res.destroy();
  }
}

/** False when whoever reads has left, or reads nothing any more. */
function drained(res: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isDrained: boolean): void => {
      clearTimeout(timer);
      res.off('drain', drain);
      res.off('close', leave);
      resolve(isDrained);
    };
    const drain = (): void => end(true);
    const leave = (): void => end(false);
    const timer = setTimeout(() => {
      res.destroy();
      end(false);
    }, DRAIN_MS_MAX);
    res.once('drain', drain);
    res.once('close', leave);
    if (res.destroyed) leave();
  });
}
