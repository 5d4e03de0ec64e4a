import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, textAnswer } from '../mason/answer.ts';
import { sendPattern } from '../pattern.ts';
import { writeHead } from '../send-answer.ts';

/** The whole answer, its body in pieces with a pause before each; stops when the caller has gone. */
export async function dripBody(
  response: ServerResponse,
  answer: Answer,
  pieceBytes: number,
  delayMs: number,
): Promise<void> {
  const body = Buffer.from(answer.body);
  writeHead(response, answer, body.length);
  response.flushHeaders();
  for (let at = 0; at < body.length && !response.destroyed; at += pieceBytes) {
    await sleep(delayMs);
    response.write(body.subarray(at, at + pieceBytes));
  }
  response.end();
}

/** The header's value once for each cut inside the credential, the two halves as chunks that arrive apart, a line each. */
export async function echoInPieces(response: ServerResponse, authorization: string, delayMs: number): Promise<void> {
  const credential = authorization.lastIndexOf(' ') + 1;
  writeHead(response, textAnswer(''), undefined);
  for (let cut = credential + 1; cut < authorization.length && !response.destroyed; cut += 1) {
    response.write(authorization.slice(0, cut));
    await sleep(delayMs);
    response.write(`${authorization.slice(cut)}\n`);
    await sleep(delayMs);
  }
  response.end();
}

/** So many bytes, as fast as the caller takes them and never more than one block ahead. */
export async function sendLarge(response: ServerResponse, bytes: number): Promise<void> {
  const answer = { status: 200, headers: ['Content-Type', 'application/octet-stream'], body: '' };
  writeHead(response, answer, bytes);
  await sendPattern(response, 0, bytes);
}
