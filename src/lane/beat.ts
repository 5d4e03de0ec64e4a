/** Renews the lease in good time while nothing else does. */
const BEAT_MS = 900;
/** More often where the limit is learnt: what others saw waits for the one that learns. */
const LEARNING_BEAT_MS = 600;
/** A lane that is quiet needs nothing soon; its longer lease is renewed as seldom. */
const QUIET_BEAT_MS = 3_000;
/** One that is idle is heard of so often, to stay known. */
const IDLE_BEAT_MS = 1_200_000;
/** How often a budget out of reach is asked again at first; */
const RETRY_MS = 200;
/** less and less often then: thousands of lanes would hold down a Redis that they have overtaxed once. */
export const RETRY_MS_MAX = 1_200;

/** What decides how often a shared budget is asked when nothing else is due. */
interface Quietness {
  /** Nothing was sent for minutes, and nobody waits. */
  readonly isIdle: boolean;
  /** Nothing was sent for seconds, and nobody waits. */
  readonly isQuiet: boolean;
  /** Whether the limit is learnt. */
  readonly learns: boolean;
  /** Asks without an answer, one after the other. */
  readonly failures: number;
}

/** Milliseconds from one ask to the next. */
export function beatMs({ isIdle, isQuiet, learns, failures }: Quietness): number {
  if (isIdle) return IDLE_BEAT_MS;
  // Between the beats of those that were answered: lanes that came at once would ask at once for ever, the last of them in vain.
  if (isQuiet) return failures > 0 ? QUIET_BEAT_MS / 2 : QUIET_BEAT_MS;
  if (failures > 0) return Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures - 1, 10));
  return learns ? LEARNING_BEAT_MS : BEAT_MS;
}
