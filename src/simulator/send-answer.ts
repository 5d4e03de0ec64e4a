import type { ServerResponse } from 'node:http';
import type { Answer } from './mason/answer.ts';
import { sendPattern } from './pattern.ts';

/**
 * Writes the head of an answer. The connection is declared persistent in words, since otherwise Node adds
 * `Keep-Alive: timeout=…`, a hint which load balancers in front of real services do not give.
 * @param length of the body that is claimed; absent when the answer's own headers frame it.
 */
export function writeHead(response: ServerResponse, answer: Answer, length: number | undefined): void {
  const headers = [...answer.headers];
  // RFC 9110 section 8.6: none with 204, and with 304 only the length of what is not sent.
  if (length !== undefined && answer.status !== 204 && answer.status !== 304 && !has(headers, 'content-length')) {
    headers.push('Content-Length', String(length));
  }
  if (response.shouldKeepAlive && !has(headers, 'connection')) headers.push('Connection', 'keep-alive');
  response.writeHead(answer.status, headers);
}

/** Sends an answer whole. */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  const { stretch } = answer;
  writeHead(response, answer, stretch === undefined ? Buffer.byteLength(answer.body) : stretch.end - stretch.start);
  if (stretch === undefined || response.req.method === 'HEAD') response.end(answer.body);
  else void sendPattern(response, stretch.start, stretch.end);
}

function has(headers: readonly string[], name: string): boolean {
  return headers.some((header, at) => at % 2 === 0 && header.toLowerCase() === name);
}
