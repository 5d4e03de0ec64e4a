import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { GatewayError } from '../domain/errors.ts';
import { isBodyDue } from './body-time.ts';
import { type ErrorAnswer, errorAnswer, errorBody } from './errors.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Answers JSON. Headers of the answer win over none: security headers are always there. */
export function answerJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    ...headers,
  });
  res.end(text);
}

/**
 * Answers an error in the one shape, `{type, message}`. A request whose body was not read to its end closes the
 * connection: what follows on it could be taken for a request (RFC 9112 section 9.3).
 */
export function answerError(res: ServerResponse, error: unknown, headers: Record<string, string> = {}): ErrorAnswer {
  const answer = errorAnswer(error);
  if (res.headersSent) {
    res.destroy();
    return answer;
  }
  const unread = isBodyDue(res.req);
  const body = errorBody(answer);
  res.writeHead(answer.status, {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Error-Source': 'gateway',
    ...answer.headers,
    ...(unread ? { Connection: 'close' } : {}),
    ...headers,
  });
  res.end(body);
  return answer;
}

/** The same on a bare socket, for what Node's parser refused before there was a request; then closes it. */
export function answerErrorOnSocket(socket: Socket, error: GatewayError): void {
  const answer = errorAnswer(error);
  const body = errorBody(answer);
  const lines = Object.entries({
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    'Error-Source': 'gateway',
    ...answer.headers,
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${answer.status} ${REASONS[answer.status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`);
  socket.destroySoon();
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};
