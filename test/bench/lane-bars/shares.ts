import { setTimeout as sleep } from 'node:timers/promises';
import { judge, type Part } from './bar.ts';
import { Callers, startJudged } from './callers.ts';

const QUIET_CALLS = 40;
const LOUD_CALLS = 100 * QUIET_CALLS;
const PER_SECOND = 100;
const LATENCY_MS = 20;
/** Of one half: a call or two at the begin and the end of the time in which both wait. */
const TOLERANCE = 0.03;
/** What tells the apps' calls apart in Mason's log. */
const PATHS = { quiet: '/v1/default/device?limit=1', loud: '/v1/default/device?limit=2' } as const;

/** Two apps, one with a hundred times the calls of the other. */
export const shares: Part = {
  name: 'shares',
  about: `an app with ${LOUD_CALLS} calls beside one with ${QUIET_CALLS}, on ${PER_SECOND}/1s: engine fair`,
  async run() {
    await using judged = await startJudged(`${PER_SECOND}/1s`, LATENCY_MS, { apps: ['quiet', 'loud'] });
    const { simulator, gateway } = judged;
    using loud = new Callers(gateway.url, gateway.tokens.get('loud') as string);
    using quiet = new Callers(gateway.url, gateway.tokens.get('quiet') as string);
    void loud.call(LOUD_CALLS, PATHS.loud);
    // The loud one stands in line already when the quiet one comes.
    await sleep(3_000);
    const statuses = await quiet.call(QUIET_CALLS, PATHS.quiet);
    const targets = (await simulator.requests(100_000)).map(({ target }) => target);
    const isQuiet = (target: string | null): boolean => target?.startsWith(PATHS.quiet) ?? false;
    const first = targets.findIndex(isQuiet);
    const during = targets.slice(first, targets.findLastIndex(isQuiet) + 1);
    const share = during.filter(isQuiet).length / during.length;
    const answered = statuses.filter((status) => status === 200).length;
    const { rateLimited } = await simulator.stats();
    const bars = [
      judge(
        Math.abs(share - 0.5) <= TOLERANCE,
        `the quiet app had ${(share * 100).toFixed(1)} % of the ${during.length} calls while both waited; the bar is 50 ± ${TOLERANCE * 100}`,
      ),
      judge(answered === QUIET_CALLS, `${answered} of its ${QUIET_CALLS} calls answered 200; the bar is all`),
      judge(first > 0, `${first} calls of the loud app went before it came; the bar is more than none`),
      judge(rateLimited === 0, `${rateLimited} answers 429 of Mason; the bar is 0`),
    ];
    return bars.every(Boolean);
  },
};
