import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from '@jest/globals';
import { Mason, type Outgoing, SendFailure } from '../../src/mason/send.ts';
import { SELF_SIGNED } from '../support/raw-certificate.ts';
import { startRawMason } from '../support/raw-mason.ts';

const BOUNDS = {
  connectMs: 1_000,
  firstByteMs: 500,
  idleMs: 500,
  connectionsMax: 2,
  answerHeadersBytesMax: 8_192,
  privateHosts: [],
};
const READ: Outgoing = {
  method: 'GET',
  target: '/a?b',
  headers: { 'x-a': 'b' },
  body: undefined,
  connection: 'shared',
};
const never = new AbortController().signal;

async function failureOf(origin: string, outgoing = READ, signal = never): Promise<SendFailure> {
  await using mason = new Mason({ ...BOUNDS, origin });
  const failure = await mason.send(outgoing, signal).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(SendFailure);
  return failure as SendFailure;
}

test.each([
  ['a parser error', 'HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n', 'bad_answer'],
  ['two framings', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 'bad_answer'],
  ['no status line', 'nothing that looks like HTTP\r\n\r\n', 'bad_answer'],
  ['101', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'bad_answer'],
  ['headers beyond the bound', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`, 'bad_answer'],
  ['silence', '', 'timeout'],
  ['interim answers only', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'timeout'],
] as const)('%s: sent, and no answer', async (_, bytes, reason) => {
  await using server = await startRawMason((socket) => socket.write(bytes));
  expect(await failureOf(server.url)).toMatchObject({ reason, reached: true });
  expect(server.connections).toBe(1);
});

test('a reset says that the request may have arrived', async () => {
  await using server = await startRawMason((socket) => socket.resetAndDestroy());
  expect(await failureOf(server.url)).toMatchObject({ reason: 'unreachable', reached: true });
});

test('nobody there, or nobody to be trusted: nothing was sent', async () => {
  const gone = await startRawMason(() => undefined);
  await gone.close();
  expect(await failureOf(gone.url)).toMatchObject({ reason: 'unreachable', reached: false });
  await using impostor = await startRawMason(() => undefined, createTlsServer(SELF_SIGNED));
  const origin = impostor.url.replace('http:', 'https:');
  expect(await failureOf(origin)).toMatchObject({ reason: 'unreachable', reached: false });
  expect(impostor.heard).toBe('');
});

test('who left before is not sent for, and who leaves is not waited for', async () => {
  await using server = await startRawMason(() => undefined);
  expect(await failureOf(server.url, READ, AbortSignal.abort())).toMatchObject({ reason: 'left', reached: false });
  const leaving = new AbortController();
  const failing = failureOf(server.url, READ, leaving.signal);
  while (server.heard === '') await new Promise((resolve) => setTimeout(resolve, 5));
  leaving.abort();
  expect(await failing).toMatchObject({ reason: 'left', reached: true });
});

test('each change and each transfer has a connection of its own; reads share one', async () => {
  await using server = await startRawMason((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
  await using mason = new Mason({ ...BOUNDS, origin: server.url });
  for (const [connection, connections] of [
    ['shared', 1],
    ['shared', 1],
    ['own', 2],
    ['transfer', 3],
    ['own', 4],
    ['shared', 4],
  ] as const) {
    const answer = await mason.send({ ...READ, connection }, never);
    expect((await answer.body.collect(10)).toString()).toBe('{}');
    await new Promise(setImmediate);
    expect(server.connections).toBe(connections);
  }
});

test('only what was named is sent', async () => {
  await using server = await startRawMason((socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
  await using mason = new Mason({ ...BOUNDS, origin: server.url });
  await mason.send(READ, never);
  expect(server.heard).toBe(
    `GET /a?b HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: keep-alive\r\nx-a: b\r\n\r\n`,
  );
});
