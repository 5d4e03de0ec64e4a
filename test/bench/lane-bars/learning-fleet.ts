import { LIMITER_KINDS, type LimiterKind, makeLimiter } from '../../../src/simulator/limit/make-limiter.ts';
import { LearningFleet } from '../../lane/learning/learning-fleet.ts';
import { judge, type Part, percent } from './bar.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const LIMIT = 60;
const IDS = ['a', 'b', 'c', 'd'] as const;
const CALLERS_EACH = 8;
/** No deeper than a limit needs that even pace can keep. */
const DEPTH = 8;
const USED_MIN = 0.9;
const FIRST_REFUSED_MAX = 20;
const LATER_REFUSED_MAX = 2;
/** A probe or two, as in any minute: whoever has not followed is refused all the time. */
const UNFOLLOWED_MAX = 3;

/** `limit: auto` over several gateways: their lanes, and all that they say to each other, in virtual time. */
export const learningFleet: Part = {
  name: 'learning-fleet',
  about: `limit: auto of ${IDS.length} gateways together against ${LIMIT}/s that nobody told, restarted, halved, in virtual time`,
  async run() {
    let met = true;
    for (const kind of LIMITER_KINDS) met = (await learn(kind)) && met;
    met = (await learnLong(600, MINUTE, 20 * MINUTE)) && met;
    return (await learnLong(1_000, HOUR, 3 * HOUR)) && met;
  },
};

async function learn(kind: LimiterKind): Promise<boolean> {
  const fleet = new LearningFleet(limiter(kind, LIMIT));
  await startAll(fleet);
  const halvesAt = 22 * MINUTE;
  const restartsAt = 20 * MINUTE;
  await fleet.clock.run(restartsAt);
  const used = fleet.taken(MINUTE, restartsAt) / ((restartsAt - MINUTE) / SECOND) / LIMIT;
  const first = fleet.refused(0, 10 * MINUTE);
  const later = fleet.refused(10 * MINUTE, restartsAt);
  for (const id of IDS) await fleet.stop(id);
  await startAll(fleet);
  await fleet.clock.run(halvesAt);
  const added = fleet.refused(restartsAt, restartsAt + 10 * SECOND);
  fleet.judge = limiter(kind, LIMIT / 2);
  await fleet.clock.run(halvesAt + MINUTE);
  const unfollowed = fleet.refused(halvesAt + 10 * SECOND);
  const failed = fleet.failed.length;
  const what = `${kind}, ${LIMIT}/s, ${IDS.length} gateways:`;
  const bars = [
    judge(used >= USED_MIN, `${what} ${percent(used)} used after the first minute; the bar is ${percent(USED_MIN)}`),
    judge(first <= FIRST_REFUSED_MAX, `${what} ${first} answers 429 in ten minutes; the bar is ${FIRST_REFUSED_MAX}`),
    judge(later <= LATER_REFUSED_MAX, `${what} ${later} in the next ten; the bar is ${LATER_REFUSED_MAX}`),
    judge(added === 0, `${what} ${added} in the ten seconds after a restart of all; the bar is 0`),
    judge(
      unfollowed <= UNFOLLOWED_MAX,
      `${what} halved, ${unfollowed} from 10 s to 60 s after; the bar is ${UNFOLLOWED_MAX}`,
    ),
    judge(failed === 0, `${what} ${failed} calls failed; the bar is 0`),
  ];
  return bars.every(Boolean);
}

/** Where nobody can say beforehand how much of the limit a search may cost: callers see none of it. */
async function learnLong(calls: number, windowMs: number, forMs: number): Promise<boolean> {
  const fleet = new LearningFleet(makeLimiter('sliding-log', calls, windowMs));
  await startAll(fleet);
  await fleet.clock.run(forMs);
  const used = fleet.taken(2 * windowMs, forMs) / (calls * (forMs / windowMs - 2));
  const failed = fleet.failed.length;
  return judge(
    failed === 0,
    `sliding-log, ${calls}/${windowMs / SECOND}s, ${IDS.length} gateways: ${failed} calls failed; the bar is 0; ${fleet.refused(0)} answers 429 in ${forMs / MINUTE} minutes, ${percent(used)} used after two windows`,
  );
}

async function startAll(fleet: LearningFleet): Promise<void> {
  await fleet.start(...IDS);
  for (const id of IDS) fleet.keepBusy(id, CALLERS_EACH);
}

function limiter(kind: LimiterKind, calls: number) {
  return makeLimiter(kind, calls, SECOND, kind === 'token-bucket' ? DEPTH : undefined);
}
