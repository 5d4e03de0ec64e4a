import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { GatewayError } from '../../src/domain/errors.ts';
import { answerError, answerJson } from '../../src/http/answer.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { RawSocket } from '../support/raw-socket.ts';

async function answerOf(listener: RequestListener, request: string): Promise<RawAnswer> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    using socket = await RawSocket.open((server.address() as AddressInfo).port);
    await socket.write(request);
    return await socket.answer(request.split(' ')[0]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const GET = 'GET / HTTP/1.1\r\nHost: m\r\n\r\n';

test('JSON is counted in bytes, not in characters', async () => {
  const { body, headers } = await answerOf((_, res) => answerJson(res, 200, { word: 'ä€😀' }), GET);
  expect(Number(headers['content-length'])).toBe(body.length);
  expect(JSON.parse(body.toString())).toEqual({ word: 'ä€😀' });
});

test('the words of an error cannot make a header or a second answer', async () => {
  const message = 'a\r\nSet-Cookie: pwn=1\r\n\r\nHTTP/1.1 200 OK\r\n';
  const answer = await answerOf((_, res) => void answerError(res, new GatewayError('invalid_request', message)), GET);
  expect(answer.headers).not.toHaveProperty('set-cookie');
  expect(JSON.parse(answer.body.toString())).toEqual({ type: 'invalid_request_error', message });
});

test('a body that nobody read closes the connection, and a request without one does not (RFC 9112 9.3)', async () => {
  const refuse: RequestListener = (_, res) => void answerError(res, new GatewayError('unauthenticated', 'no'));
  const post = 'POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\nabc';
  expect((await answerOf(refuse, post)).headers['connection']).toBe('close');
  expect((await answerOf(refuse, GET)).headers['connection']).toBe('keep-alive');
});

test('an error behind a head that has left cuts the answer off', async () => {
  const listener: RequestListener = (_, res) => {
    res.writeHead(200, { 'Content-Length': 100 });
    res.write('half', () => answerError(res, new Error('late')));
  };
  await expect(answerOf(listener, GET)).resolves.toMatchObject({ status: 200, complete: false });
});
