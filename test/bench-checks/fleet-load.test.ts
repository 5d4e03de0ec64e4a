import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FleetLoad } from '../bench/lane-bars/fleet-load.ts';
import type { GatewayFleet } from '../bench/lane-bars/gateway-fleet.ts';

let server: Server;
let fleet: GatewayFleet;
let asked: string[] = [];

beforeAll(async () => {
  server = createServer((req, res) => {
    asked.push(String(req.url));
    const app = req.headers.authorization?.replace('Bearer token-of-', '');
    if (app === 'cut') req.socket.destroy();
    else res.writeHead(app === 'refused' ? 429 : 200, { 'Server-Timing': 'queue;dur=12.5', 'Request-Id': 'r' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tokens = new Map(['good', 'cut', 'refused'].map((app) => [app, `token-of-${app}`]));
  fleet = { gateways: [{ url }], tokens } as unknown as GatewayFleet;
});
afterAll(() => void server.close());

test('a bench that lost calls, or had them refused, knows of each', async () => {
  await using load = new FleetLoad(fleet);
  await Promise.all(['good', 'cut', 'refused', 'good'].map((app) => load.call(0, app)));
  expect(load.failures().map(({ app, status }) => [app, status])).toEqual(
    expect.arrayContaining([
      ['cut', 0],
      ['refused', 429],
    ]),
  );
  expect(load.failures()).toHaveLength(2);
  expect(load.ended.filter(({ status }) => status === 200).map(({ queueMs }) => queueMs)).toEqual([12.5, 12.5]);
});

test('no two calls ask the same, or they would share one; those under way when it stops are answered', async () => {
  asked = [];
  const load = new FleetLoad(fleet);
  load.keepAllBusy('good', 4);
  while (load.ended.length < 40) await load.call(0, 'good');
  await load[Symbol.asyncDispose]();
  expect(new Set(asked).size).toBe(asked.length);
  expect(load.ended).toHaveLength(asked.length);
  expect(load.failures()).toEqual([]);
});
