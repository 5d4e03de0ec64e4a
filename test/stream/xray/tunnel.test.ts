import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Tunnel } from '../../../src/stream/xray/tunnel.ts';
import { eventually } from '../../support/eventually.ts';
import { settled, VirtualClock } from '../../support/virtual-clock.ts';

const PING_MS = 30_000;
const IDLE_MS = 1_800_000;
const CLOSE_MS = 2_000;
const HEAD = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Two ends of a connection; the second is the server's. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const [far] = (await accepted) as [Socket];
  server.close();
  for (const socket of [near, far]) socket.on('error', () => socket.destroy());
  sockets.push(near, far);
  return [near, far];
}

/** A session whose ends are the test's, joined as http-proxy-middleware does it. */
async function openTunnel(): Promise<{
  clock: VirtualClock;
  tunnel: Tunnel;
  caller: Socket;
  mason: Socket;
  heard: { caller: Buffer; mason: Buffer };
}> {
  const clock = new VirtualClock();
  const [caller, ours] = await pair();
  const [theirs, mason] = await pair();
  const tunnel = new Tunnel(ours, clock, { pingMs: PING_MS, idleMs: IDLE_MS, closeMs: CLOSE_MS });
  const heard = { caller: Buffer.alloc(0), mason: Buffer.alloc(0) };
  caller.on('data', (bytes: Buffer) => {
    heard.caller = Buffer.concat([heard.caller, bytes]);
  });
  mason.on('data', (bytes: Buffer) => {
    heard.mason = Buffer.concat([heard.mason, bytes]);
  });
  tunnel.write("the library's own words, before there is a session");
  tunnel.open(theirs, HEAD);
  tunnel.write("the library's own head");
  theirs.pipe(tunnel).pipe(theirs);
  await eventually('the head has come', () => heard.caller.length === HEAD.length);
  expect(heard.caller.toString()).toBe(HEAD);
  heard.caller = Buffer.alloc(0);
  return { clock, tunnel, caller, mason, heard };
}

const DATA = Buffer.from([0x82, 3, 1, 2, 3]);
const MASKED = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]);
const PING = Buffer.from([0x89, 0]);
const PONG_MASKED = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const PONG = Buffer.from([0x8a, 0]);

/** Code and reason of an unmasked close frame. */
const saidIn = (frame: Buffer): [opcode: number, code: number, reason: string] => [
  frame[0] as number,
  frame.readUInt16BE(2),
  frame.toString('latin1', 4),
];

describe('An open session', () => {
  test('A side that is silent is pinged, masked towards Mason; who answers stays', async () => {
    const { clock, tunnel, caller, mason, heard } = await openTunnel();
    await clock.advance(PING_MS);
    await settled();
    expect(heard.caller.length).toBe(0);
    await clock.advance(PING_MS);
    await eventually('both are pinged', () => heard.caller.length === 2 && heard.mason.length === 6);
    expect(heard.caller).toEqual(PING);
    expect([heard.mason[0], heard.mason[1]]).toEqual([0x89, 0x80]);
    for (let beat = 0; beat < 5; beat++) {
      const before = heard.mason.length;
      caller.write(PONG_MASKED);
      mason.write(PONG);
      await eventually('the answer has come', () => heard.mason.length >= before + 6 && heard.caller.includes(0x8a));
      await clock.advance(PING_MS);
    }
    await settled();
    expect(heard.caller.includes(0x88)).toBe(false);
    expect(tunnel.destroyed).toBe(false);
  });

  test('Who does not answer has gone: the other side is told, and in the end both are cut off', async () => {
    const { clock, tunnel, caller, mason, heard } = await openTunnel();
    const beats = setInterval(() => caller.write(MASKED), 1);
    for (let beat = 0; beat < 4; beat++) {
      const before = heard.mason.length;
      await eventually('the caller is there', () => heard.mason.length > before);
      await clock.advance(PING_MS);
    }
    clearInterval(beats);
    await eventually('the caller is told', () => heard.caller.at(0) === 0x88);
    expect(saidIn(heard.caller)).toEqual([0x88, 1001, 'Mason does not answer']);
    await clock.advance(CLOSE_MS);
    await eventually('Mason is cut off', () => mason.closed || mason.readableEnded);
    expect(await tunnel.ended).toMatchObject({ closedBy: 'gateway', closeCode: 1001, reason: 'silent' });
  });

  test('One in which only pings and pongs pass is not used, and ends', async () => {
    const { clock, tunnel, caller, mason, heard } = await openTunnel();
    mason.write(DATA);
    await eventually('data has passed', () => heard.caller.equals(DATA));
    for (let at = 0; at < IDLE_MS; at += PING_MS) {
      const before = [heard.caller.length, heard.mason.length] as const;
      caller.write(PONG_MASKED);
      mason.write(PONG);
      await eventually('both were heard', () => heard.caller.length > before[0] && heard.mason.length > before[1]);
      expect(tunnel.destroyed).toBe(false);
      await clock.advance(PING_MS);
    }
    await clock.advance(PING_MS);
    await eventually('the caller is told', () => heard.caller.includes('nothing passed for 1800 s'));
    const answer = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 3, 233]);
    caller.write(answer);
    mason.write(Buffer.from([0x88, 2, 3, 233]));
    // Both answered: their connections end at once, no time needs to pass.
    await eventually('both ends are over', () => caller.readableEnded && mason.readableEnded);
    caller.end();
    mason.end();
    expect(await tunnel.ended).toMatchObject({ closedBy: 'gateway', closeCode: 1001, reason: 'idle' });
  });
});

describe('A session that the gateway ends', () => {
  test('In the middle of a frame: that may come to its end, for a quarter of a second; nothing passes behind it', async () => {
    const { clock, tunnel, mason, heard } = await openTunnel();
    mason.write(Buffer.from([0x82, 10, 1, 2, 3]));
    await eventually('a part has come', () => heard.caller.length === 5);
    tunnel.close(1008, 'revoked', 'unauthenticated');
    expect(tunnel.bytes.out).toBe(5);
    mason.write(Buffer.concat([Buffer.alloc(7, 9), DATA, DATA]));
    await eventually('the close frame has come', () => heard.caller.includes('revoked'));
    await eventually('Mason was told', () => heard.mason[0] === 0x88);
    await settled();
    expect(heard.caller.subarray(0, 12)).toEqual(Buffer.from([0x82, 10, 1, 2, 3, 9, 9, 9, 9, 9, 9, 9]));
    expect(saidIn(heard.caller.subarray(12))).toEqual([0x88, 1008, 'revoked']);
    await clock.advance(CLOSE_MS);
    expect((await tunnel.ended).closeCode).toBe(1008);
  });

  test('A frame that never ends is no way to stay: it is cut off', async () => {
    const { clock, tunnel, caller, mason, heard } = await openTunnel();
    mason.write(Buffer.from([0x82, 127, 0, 0, 0, 100, 0, 0, 0, 0, 1]));
    await eventually('it has begun', () => heard.caller.length === 11);
    tunnel.close(1008, 'revoked', 'unauthenticated');
    await clock.advance(250);
    await eventually('both are gone', () => caller.closed && mason.readableEnded);
    expect(await tunnel.ended).toMatchObject({ closedBy: 'gateway', closeCode: 1008 });
    expect(clock.timers).toBe(0);
  });
});

test('A side that is not read cannot be heard, and is not taken for gone', async () => {
  const { clock, tunnel, caller, mason, heard } = await openTunnel();
  caller.pause();
  const big = Buffer.alloc(64 * 1024);
  const header = Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]);
  mason.write(header);
  for (let held = 0; held < 20; held = mason.writableNeedDrain ? held + 1 : 0) {
    mason.write(big);
    await settled();
  }
  for (let beat = 0; beat < 10; beat++) {
    const before = heard.mason.length;
    caller.write(PONG_MASKED);
    await eventually('the caller is there', () => heard.mason.length > before);
    await clock.advance(PING_MS);
  }
  expect(tunnel.destroyed).toBe(false);
  expect(heard.mason.includes(0x88)).toBe(false);
});
