import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY, PROXY_CORE } from '../contestants/contestant.ts';
import { startGatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';
import { residentBytes } from '../machine/processor.ts';
import { median } from '../throughput/rounds.ts';
import { Others, type SlowOrder, startAttack } from './attack.ts';

const CONNECTIONS = 300;
const PIECE_MS = 500;
/** A request with ranges is work, not slowness. */
const RANGE_MS = 2_000;
const SECONDS = 3;
const WINDOWS = 3;
/** Until the downloads with which slow readers begin are over: they are work, too. */
const SETTLE_MS = 6_000;
const HEADERS_MS = 5_000;
const REQUEST_MS = 8_000;
/** With the second that slow readers give the line, what a call has in all; a reader that takes a little has no less. */
const TOTAL_MS = 29_000;
const WAIT_MS = 1_000;
/** Timers of a second, and a machine that does something else as well. */
const LATE_MS_MAX = 2_500;
const P99_FACTOR_MAX = 2;
const ANSWER_BYTES = 5_000_000;
const GROWTH_MB_MAX = 150;

/** How long the gateway has each kind at most; a request with ranges is over at once. */
const MODES: readonly (readonly [mode: SlowOrder['mode'], documentedMs: number | undefined, about: string])[] = [
  ['headers', HEADERS_MS, 'slow headers (slowloris)'],
  ['body', REQUEST_MS, 'slow bodies (R-U-Dead-Yet)'],
  ['read', WAIT_MS + TOTAL_MS, 'slow readers'],
  ['range', undefined, 'ranges (Apache killer)'],
];

/** slowhttptest's four modes, each 300 connections; those that were closed come again, except readers. */
export const slowClients: Part = {
  name: 'slow-clients',
  about: `${CONNECTIONS} clients of each of slowhttptest's four modes: p99 of others under ${P99_FACTOR_MAX} times its idle value`,
  async run() {
    await using simulator = await spawnSimulator(['--key', `${MASON_KEY}=account:owner`]);
    await using gateway = await startGatewayProcess({
      masonUrl: simulator.url,
      key: MASON_KEY,
      limit: '100000/1s',
      apps: ['others', 'slow'],
      scopes: ['account:owner'],
      core: PROXY_CORE,
      settings: {
        listen: { headersMs: HEADERS_MS, requestMs: REQUEST_MS },
        // As many calls as slow readers hold, and some for the others.
        mason: { totalMs: TOTAL_MS, connectionsMax: 2 * CONNECTIONS },
      },
    });
    const large = { kind: 'large', bytes: ANSWER_BYTES } as const;
    await simulator.faults({ match: { path: '/v1/default/group', method: 'GET' }, times: 'always', fault: large });
    using others = new Others(gateway.url, gateway.tokens.get('others') as string);
    const order = { token: gateway.tokens.get('slow') as string, connections: CONNECTIONS };
    const port = Number(new URL(gateway.url).port);
    const p99 = async (): Promise<number> => {
      const windows: number[] = [];
      for (let window = 0; window < WINDOWS; window++) windows.push(await others.p99(SECONDS));
      return median(windows);
    };
    await p99();
    const bars: boolean[] = [];
    for (const [mode, documentedMs, about] of MODES) {
      const idle = await p99();
      const before = residentBytes(gateway.pid);
      const pieceMs = mode === 'range' ? RANGE_MS : PIECE_MS;
      await using attack = await startAttack({ ...order, mode, port, pieceMs });
      await sleep(SETTLE_MS);
      const attacked = await p99();
      const growth = (residentBytes(gateway.pid) - before) / 2 ** 20;
      const { longestMs } = await attack.end();
      const met = attacked < P99_FACTOR_MAX * idle;
      bars.push(
        judge(
          met,
          `${about}: p99 of others ${attacked.toFixed(1)} ms, idle ${idle.toFixed(1)} ms (bar: ×${P99_FACTOR_MAX})`,
        ),
      );
      bars.push(judge(growth < GROWTH_MB_MAX, `${about}: memory + ${growth.toFixed(0)} MB (bar: ${GROWTH_MB_MAX})`));
      if (documentedMs === undefined) continue;
      const ended = longestMs < documentedMs + LATE_MS_MAX;
      bars.push(
        judge(
          ended,
          `${about}: the longest lasted ${(longestMs / 1_000).toFixed(1)} s (documented: ${documentedMs / 1_000} s)`,
        ),
      );
    }
    tell(`after it: p99 of others ${(await p99()).toFixed(1)} ms`);
    return bars.every(Boolean);
  },
};
