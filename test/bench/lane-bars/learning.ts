import { LIMITER_KINDS, type LimiterKind, makeLimiter } from '../../../src/simulator/limit/make-limiter.ts';
import { type Played, playLearning, within } from '../../lane/learning/play-learning.ts';
import { judge, type Part, percent, tell } from './bar.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const JITTERS_MS = [0, 50];
const USED_MIN = 0.9;

/** `limit: auto` in virtual time: the real slots and the real learner, the simulator's limits. */
export const learning: Part = {
  name: 'learning',
  about: 'limit: auto against 60/s, 600/60s and 1000/1h that nobody told, five kinds of limit, in virtual time',
  async run() {
    const bars: boolean[] = [];
    for (const kind of LIMITER_KINDS) {
      for (const jitterMs of JITTERS_MS) bars.push(...perSecond(kind, jitterMs));
      bars.push(halved(kind), restarted(kind));
      perWindow(kind, 600, MINUTE);
      perWindow(kind, 1_000, HOUR);
    }
    return bars.every(Boolean);
  },
};

function perSecond(kind: LimiterKind, jitterMs: number): boolean[] {
  const played = playLearning({ judges: [[0, limiter(kind, 60, 1_000)]], jitterMs, forMs: 20 * MINUTE });
  const part = used(played, MINUTE, 20 * MINUTE, 60);
  const first = within(played.refusedAt, 0, 10 * MINUTE);
  const next = within(played.refusedAt, 10 * MINUTE, 20 * MINUTE);
  const lost = played.came - played.takenAt.length - played.waiting;
  const what = `${kind}, 60/s, jitter ${jitterMs} ms:`;
  return [
    judge(part >= USED_MIN, `${what} ${percent(part)} used after the first minute; the bar is ${percent(USED_MIN)}`),
    judge(first <= 20, `${what} ${first} answers 429 in the first ten minutes; the bar is 20`),
    judge(next <= 2, `${what} ${next} in the next ten; the bar is 2`),
    judge(lost === 0, `${what} ${lost} calls lost; the bar is 0`),
  ];
}

function halved(kind: LimiterKind): boolean {
  const [before, after] = [limiter(kind, 60, 1_000), limiter(kind, 30, 1_000)];
  const played = playLearning({
    judges: [
      [0, before],
      [5 * MINUTE, after],
    ],
    forMs: 6 * MINUTE,
  });
  const late = within(played.refusedAt, 5 * MINUTE + 10_000, 6 * MINUTE);
  const part = used(played, 5 * MINUTE + 10_000, 6 * MINUTE, 30);
  return judge(
    late <= 3,
    `${kind}, halved: ${late} answers 429 from 10 s to 60 s after; ${percent(part)} used; the bar is 3`,
  );
}

function restarted(kind: LimiterKind): boolean {
  const at = 2.5 * MINUTE;
  const played = playLearning({ judges: [[0, limiter(kind, 60, 1_000)]], restartsAt: [at], forMs: 3 * MINUTE });
  const added = within(played.refusedAt, at, at + 10_000);
  return judge(added === 0, `${kind}, restarted: ${added} answers 429 in the ten seconds after; the bar is 0`);
}

function perWindow(kind: LimiterKind, calls: number, windowMs: number): void {
  const played = playLearning({ judges: [[0, limiter(kind, calls, windowMs)]], forMs: 10 * HOUR });
  const part = used(played, 2 * HOUR, 10 * HOUR, (calls * 1_000) / windowMs);
  const first = within(played.refusedAt, 0, HOUR);
  const later = within(played.refusedAt, HOUR, 10 * HOUR);
  tell(
    `${kind}, ${calls}/${windowMs / 1_000}s: ${first} answers 429 in the first hour, ${later} in the nine after; ${percent(part)} used`,
  );
}

/** Buckets no deeper than a limit needs that even pace can keep. */
function limiter(kind: LimiterKind, calls: number, windowMs: number) {
  return makeLimiter(kind, calls, windowMs, kind === 'token-bucket' ? Math.max(8, calls / 10) : undefined);
}

function used(played: Played, fromMs: number, toMs: number, perSecond: number): number {
  return within(played.takenAt, fromMs, toMs) / (((toMs - fromMs) / 1_000) * perSecond);
}
