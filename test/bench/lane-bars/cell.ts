import type { RateLimit } from '../../../src/domain/budget.ts';
import type { LimiterKind } from '../../../src/simulator/limit/make-limiter.ts';
import { type SimulatorProcess, spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { judge, percent, tell } from './bar.ts';

const LATENCY_MS = 20;
/**
 * Of what can be used where the way to Mason varies by J: W / (W + J), and (L - 1) / L for small L. J is what the gateways
 * measured: on a busy machine it is more than the simulator's jitter, and what is left by the jitter alone is told besides.
 */
const USED_MIN = 0.97;
const ASKED_MAX = 0.1;
/** From here on there is load enough to ask for several calls at once. */
const LOAD_CALLS_MIN = 100;

/** What several gateways are tried against: the limit that they are told, and Mason's kind of it. */
export interface Cell {
  readonly limit: RateLimit;
  readonly kind: LimiterKind;
  readonly jitterMs: number;
}

/** A simulated Mason that judges by the cell; its own work always takes as long. */
export function startJudge({ limit, kind, jitterMs }: Cell): Promise<SimulatorProcess> {
  const depth = Math.ceil(1 + ((jitterMs + 30) * limit.calls) / limit.windowMs);
  return spawnSimulator([
    ...['--limit', `${limit.calls}/${limit.windowMs}ms`, '--limit-kind', kind],
    ...['--latency', String(LATENCY_MS), '--jitter', `0..${jitterMs}`],
    ...(kind === 'token-bucket' ? ['--limit-depth', String(depth)] : []),
    ...['--key', `${MASON_KEY}=account:owner`, '--keep-alive-ms', '60000'],
  ]);
}

/**
 * The bars of a budget that is always wanted.
 *
 * @param askedEach questions to Redis a call
 * @param spreadMs of the way to Mason, by which the gateways paced
 * @param before what is told before each number
 */
export async function judgePace(
  { limit, kind, jitterMs }: Cell,
  simulator: SimulatorProcess,
  askedEach: number,
  spreadMs: number,
  before = '',
): Promise<boolean> {
  const { accepted, rateLimited, firstAcceptedAt, lastAcceptedAt } = await simulator.stats();
  const seconds = ((lastAcceptedAt ?? 0) - (firstAcceptedAt ?? 0)) / 1_000;
  const rate = (accepted - 1) / seconds;
  const small = limit.calls <= 20 ? (limit.calls - 1) / limit.calls : 1;
  const mostRate = (spread: number) => (limit.calls * small * 1_000) / (limit.windowMs + spread);
  const used = rate / mostRate(spreadMs);
  const name = `${before}${limit.calls}/${limit.windowMs / 1_000}s ${kind}, jitter ${jitterMs} ms`;
  const bars = [
    judge(rateLimited === 0, `${name}: ${rateLimited} answers 429; the bar is 0`),
    judge(
      used >= USED_MIN,
      `${name}: ${percent(used)} of what can be used with the spread of ${spreadMs.toFixed(0)} ms that was measured, ${percent(rate / mostRate(jitterMs))} of what could be with ${jitterMs}; the bar is ${percent(USED_MIN)} of the first`,
    ),
  ];
  const text = `${name}: ${askedEach.toFixed(3)} asks of Redis a call`;
  if (limit.calls >= LOAD_CALLS_MIN) bars.push(judge(askedEach <= ASKED_MAX, `${text}; the bar is ${ASKED_MAX}`));
  else tell(text);
  return bars.every(Boolean);
}
