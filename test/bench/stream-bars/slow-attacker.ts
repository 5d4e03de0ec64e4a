// One kind of slow clients: `node slow-attacker.ts ORDER`, an order as JSON. Says READY when all of them are there; begins no more
// when its input ends, and tells what became of them when all are gone.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttackerReport, SlowOrder } from './attack.ts';

const order = JSON.parse(process.argv[2] as string) as SlowOrder;
const { mode, port, token, connections, pieceMs } = order;
/** In how many turns the pieces of all connections are sent. */
const BEATS = 20;
/** Of what a slow reader takes at a time. */
const READ_BYTES = 512;

const OPEN_EACH_MS = 100;
/** As slowhttptest: spread, so that what ends them is spread as well. A slow reader begins with megabytes: fewer of them. */
const OPEN_AT_ONCE = { idle: 100, read: 3, headers: 10, body: 10, range: 10 }[mode];
const auth = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n`;
const ranges = Array.from({ length: 1_300 }, (_, at) => `5-${at}`).join(',');
const FIRST: Readonly<Record<SlowOrder['mode'], string>> = {
  headers: `GET /v1/default/device HTTP/1.1\r\n${auth}`,
  body: `POST /v1/default/group HTTP/1.1\r\n${auth}Content-Length: 100000\r\n\r\n`,
  read: `GET /v1/default/group HTTP/1.1\r\n${auth}Prefer: wait=1\r\n\r\n`,
  range: `GET /v1/default/device?limit=1 HTTP/1.1\r\n${auth}Range: bytes=0-,${ranges}\r\n\r\n`,
  idle: 'OPTIONS * HTTP/1.1\r\nHost: m\r\n\r\n',
};
const NEXT: Readonly<Record<SlowOrder['mode'], string>> = {
  ...FIRST,
  headers: 'X-A: b\r\n',
  body: 'a',
  // Nothing that means anything: but only who writes notices that the other side has gone.
  read: '\r\n',
  idle: '',
};

/** Each with its number, by which it has its turn. */
const sockets = new Map<Socket, number>();
let begun = 0;
const lives: number[] = [];
let turnedAway = 0;
let stopped = false;

async function begin(): Promise<void> {
  const began = performance.now();
  const socket = connect({ port, host: '127.0.0.1' });
  sockets.set(socket, begun++);
  let heard = 0;
  if (mode === 'read') socket.pause();
  else socket.on('data', (bytes) => (heard += bytes.length));
  socket.on('error', () => undefined);
  const ready = new Promise<void>((resolve) => {
    // An idle one was served once: before that it would be a slow one.
    socket.once(mode === 'idle' ? 'data' : 'connect', () => resolve());
    socket.once('close', () => {
      sockets.delete(socket);
      if (mode === 'idle' && heard === 0) turnedAway++;
      else lives.push(performance.now() - began);
      resolve();
      // The attack goes on: who was closed comes again. Not who reads slowly: at its begin each is a large download.
      if (!stopped && mode !== 'idle' && mode !== 'read') void begin();
    });
  });
  socket.write(FIRST[mode]);
  await ready;
}

// In turns, as independent clients would: all at once would measure a crowd.
let beats = 0;
const beat = setInterval(() => {
  const turn = beats++ % BEATS;
  for (const [socket, number] of sockets) {
    if (number % BEATS !== turn) continue;
    if (mode === 'read') socket.read(READ_BYTES);
    if (NEXT[mode] !== '' && socket.writable) socket.write(NEXT[mode]);
  }
}, pieceMs / BEATS);

for (let open = 0; open < connections; open += OPEN_AT_ONCE) {
  await Promise.all([
    sleep(OPEN_EACH_MS),
    ...Array.from({ length: Math.min(OPEN_AT_ONCE, connections - open) }, begin),
  ]);
}
console.log('READY');
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('end', resolve));
stopped = true;
const open = sockets.size;
if (mode === 'range' || mode === 'idle') for (const socket of sockets.keys()) socket.destroy();
while (sockets.size > 0) await sleep(50);
clearInterval(beat);
const report: AttackerReport = { open, turnedAway, longestMs: Math.max(0, ...lives) };
console.log(JSON.stringify(report));
