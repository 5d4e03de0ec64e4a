import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../throughput/rounds.ts';
import { judge, type Part, percent, tell } from './bar.ts';
import { Callers, startJudged } from './callers.ts';

const CALLERS = 200;
const PER_SECOND = 50;
const LATENCY_MS = 20;
const ROUNDS = 3;
const RATE_MIN = 0.95;
/** Until what a round sent counts for nobody any more. */
const REST_MS = 2_500;

interface Outcome {
  readonly refusedByMason: number;
  readonly answered: number;
  /** Part of the limit that was used from the first call to the last. */
  readonly rate: number;
}

/** 200 callers at once on a key of 50 calls a second. */
export const crowdFair: Part = {
  name: 'crowd-fair',
  about: `${CALLERS} callers at once on ${PER_SECOND}/1s, judged by a sliding log: engine fair`,
  async run() {
    const outcomes = await crowd('fair');
    const worst = (pick: (outcome: Outcome) => number): number => Math.max(...outcomes.map(pick));
    const rate = median(outcomes.map((outcome) => outcome.rate));
    const unanswered = worst(({ answered }) => CALLERS - answered);
    const refused = worst(({ refusedByMason }) => refusedByMason);
    const bars = [
      judge(refused === 0, `${refused} answers 429 of Mason in the worst of ${ROUNDS} rounds; the bar is 0`),
      judge(unanswered === 0, `${unanswered} of ${CALLERS} callers not answered 200; the bar is 0`),
      judge(rate >= RATE_MIN, `${percent(rate)} of the limit used (median); the bar is ${percent(RATE_MIN)}`),
    ];
    return bars.every(Boolean);
  },
};

/** The same through the other engine: numbers only. */
export const crowdBottleneck: Part = {
  name: 'crowd-bottleneck',
  about: `the same: engine bottleneck, for comparison`,
  async run() {
    for (const { refusedByMason, answered, rate } of await crowd('bottleneck')) {
      tell(
        `${refusedByMason} answers 429 of Mason, ${answered} of ${CALLERS} answered 200, ${percent(rate)} of the limit used`,
      );
    }
    return true;
  },
};

async function crowd(engine: 'fair' | 'bottleneck'): Promise<Outcome[]> {
  await using judged = await startJudged(`${PER_SECOND}/1s`, LATENCY_MS, { apps: ['crowd'], engine });
  const { simulator, gateway } = judged;
  const outcomes: Outcome[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    using callers = new Callers(gateway.url, gateway.tokens.get('crowd') as string);
    const statuses = await callers.call(CALLERS, '/v1/default/device?limit=1');
    const { accepted, rateLimited, firstAcceptedAt, lastAcceptedAt } = await simulator.stats();
    const seconds = ((lastAcceptedAt ?? 0) - (firstAcceptedAt ?? 0)) / 1_000;
    outcomes.push({
      refusedByMason: rateLimited,
      answered: statuses.filter((status) => status === 200).length,
      rate: (accepted - 1) / seconds / PER_SECOND,
    });
    await sleep(REST_MS);
    await simulator.reset();
  }
  return outcomes;
}
