import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY, PROXY_CORE } from '../contestants/contestant.ts';
import { startGatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, percent, tell } from '../lane-bars/bar.ts';
import { residentBytes } from '../machine/processor.ts';
import { median } from '../throughput/rounds.ts';
import { Others, type SlowOrder, startAttack } from './attack.ts';
import { FOREIGN_MAX, quietWindow, type Window } from './quiet-window.ts';

const CONNECTIONS = 300;
const PIECE_MS = 500;
/** A request with ranges is work, not slowness. */
const RANGE_MS = 2_000;
const SECONDS = 4;
/**
 * Each without and with the attack, one soon after the other: until so many were played while the machine did little else, or
 * so many in all; the quietest count. A p99 of a processor that somebody else uses for the most part is that of anything.
 */
const ROUNDS = 3;
const ROUNDS_MAX = 8;
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

function shown({ value, own, foreign }: Window): string {
  return `p99 ${value.toFixed(1)} ms, gateway ${percent(own)} of a processor, others on this machine ${percent(foreign)}`;
}

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
    await others.p99(SECONDS);
    const bars: boolean[] = [];
    for (const [mode, documentedMs, about] of MODES) {
      const before = residentBytes(gateway.pid);
      const pieceMs = mode === 'range' ? RANGE_MS : PIECE_MS;
      const rounds: { factor: number; foreign: number }[] = [];
      let growth = 0;
      let longestMs = 0;
      for (let isLast = false; !isLast; ) {
        const idle = await quietWindow(gateway.pid, () => others.p99(SECONDS));
        await using attack = await startAttack({ ...order, mode, port, pieceMs });
        await sleep(SETTLE_MS);
        const attacked = await quietWindow(gateway.pid, () => others.p99(SECONDS));
        growth = Math.max(growth, (residentBytes(gateway.pid) - before) / 2 ** 20);
        rounds.push({ factor: attacked.value / idle.value, foreign: Math.max(idle.foreign, attacked.foreign) });
        tell(`${mode}, round ${rounds.length}: idle ${shown(idle)}; attacked ${shown(attacked)}`);
        const quiet = rounds.filter(({ foreign }) => foreign <= FOREIGN_MAX);
        isLast = quiet.length === ROUNDS || rounds.length === ROUNDS_MAX;
        // To the end of all only once: that takes as long as they are allowed.
        if (isLast) ({ longestMs } = await attack.end());
      }
      const quietest = rounds.toSorted((a, b) => a.foreign - b.foreign).slice(0, ROUNDS);
      const factor = median(quietest.map((round) => round.factor));
      const spread = quietest.map((round) => `×${round.factor.toFixed(1)} beside ${percent(round.foreign)}`).join(', ');
      bars.push(
        judge(
          factor < P99_FACTOR_MAX,
          `${about}: p99 of others ×${factor.toFixed(2)} of its idle value, the median of the quietest: ${spread} (bar: ×${P99_FACTOR_MAX})`,
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
    tell(`after it: p99 of others ${(await others.p99(SECONDS)).toFixed(1)} ms`);
    return bars.every(Boolean);
  },
};
