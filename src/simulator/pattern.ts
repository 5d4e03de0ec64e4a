import type { ServerResponse } from 'node:http';

const PERIOD = 251;
/** A whole number of periods, so that blocks joined continue the pattern. */
const BLOCK = Buffer.from(Array.from({ length: PERIOD * 256 }, (_, at) => at % PERIOD));

/** Content of any length that takes no memory: byte number i (from 0) is i modulo 251. */
export function* pattern(start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const from = at % PERIOD;
    const piece = BLOCK.subarray(from, Math.min(BLOCK.length, from + end - at));
    yield piece;
    at += piece.length;
  }
}

/** Sends a stretch of it, as fast as the caller takes it and never more than one block ahead. */
export async function sendPattern(response: ServerResponse, start: number, end: number): Promise<void> {
  for (const piece of pattern(start, end)) {
    if (response.destroyed) break;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
    if (response.destroyed) settle();
  });
}
