import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPublicServer } from '../../src/http/public-server.ts';
import { watchReader } from '../../src/http/watch-reader.ts';
import { eventually } from '../support/eventually.ts';

const IDLE_MS = 800;
const PIECE = Buffer.alloc(65_536);
const server = createServer();

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** A connection that holds all that a kernel takes, and a reader that has read none of it. */
const filled = async (): Promise<{ ours: Socket; reader: Socket } & Disposable> => {
  const accepted = once(server, 'connection');
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const ours = (await accepted)[0] as Socket;
  ours.on('error', () => undefined);
  while (ours.write(PIECE));
  const end = (): void => {
    ours.destroy();
    reader.destroy();
  };
  return { ours, reader, [Symbol.dispose]: end };
};

test('Who reads a little all the time is not idle, though Node sees nothing move; who stops then is', async () => {
  using pair = await filled();
  const { ours, reader } = pair;
  let drains = 0;
  let idle = false;
  ours.on('drain', () => drains++);
  using _ = watchReader(ours, IDLE_MS, () => {
    idle = true;
  });
  // Less, in the whole time, than makes Node write again.
  for (let looks = 0; looks < 20; looks++) {
    reader.read(40_000);
    await sleep(IDLE_MS / 8);
  }
  expect([idle, drains]).toEqual([false, 0]);
  await eventually('it is found idle', () => idle);
});

test('Who took nothing is told of once, and not when nobody watches any more', async () => {
  using pair = await filled();
  using unwatched = await filled();
  let times = 0;
  using _ = watchReader(pair.ours, IDLE_MS / 4, () => times++);
  watchReader(unwatched.ours, IDLE_MS / 4, () => (times += 100))[Symbol.dispose]();
  await eventually('it is found idle', () => times > 0);
  await sleep(IDLE_MS / 2);
  expect(times).toBe(1);
});

test('A public door lets a slow reader read on, whatever it answers, and ends one who stopped', async () => {
  const answerIdleMs = IDLE_MS / 2;
  const bounds = {
    headersBytesMax: 16_384,
    headersMs: 10_000,
    requestMs: 10_000,
    keepAliveMs: 10_000,
    connectionsMax: 9,
  };
  const door = createPublicServer({ ...bounds, answerIdleMs }, (_req, res) => res.end(Buffer.alloc(12_000_000)));
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const reader = connect((door.address() as AddressInfo).port, '127.0.0.1').pause();
  reader.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let isOpen = true;
  const [theirs] = (await once(door, 'connection')) as [Socket];
  theirs.once('close', () => {
    isOpen = false;
  });
  for (let reads = 0; reads < 30; reads++) {
    reader.read(40_000);
    await sleep(answerIdleMs / 8);
  }
  expect(isOpen).toBe(true);
  await eventually('it is ended', () => !isOpen);
  reader.destroy();
  door.close();
});
