import { afterEach, expect } from '@jest/globals';
import type { Clock } from '../../src/domain/clock.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import type { Lane, LaneCall, LaneSettings, Place } from '../../src/domain/lane.ts';

export interface LaneHarness {
  readonly clock: Clock;
  make(settings: LaneSettings): Lane;
  /** Lets so much time pass, and what falls due in it happen. */
  pass(ms: number): Promise<void>;
}

const SETTINGS: LaneSettings = {
  budgetId: 'budget-1',
  limit: { calls: 100, windowMs: 1_000 },
  burst: undefined,
  spreadMs: 10,
  waitingCallsMax: 1_000,
  waitingBytesMax: 1_000_000,
  pauseMsMax: 60_000,
};

export type LaneScript = ReturnType<typeof laneScript>;

/** What the stories about lanes are told with. */
export function laneScript(harness: LaneHarness) {
  const { clock, pass } = harness;
  const stays = new AbortController().signal;
  const made: Lane[] = [];

  function makeLane(settings: Partial<LaneSettings> = {}): Lane {
    const lane = harness.make({ ...SETTINGS, ...settings });
    made.push(lane);
    return lane;
  }

  function join(lane: Lane, call: Partial<LaneCall> & { waitMs?: number } = {}): Place {
    const { waitMs = 30_000, ...rest } = call;
    return lane.join({ appId: 'app', weight: 1, urgency: 3, deadlineAt: clock.now() + waitMs, heldBytes: 10, ...rest });
  }

  /** Joins and asks; writes the name down when the turn comes, or the code of the refusal. */
  function send(
    lane: Lane,
    log: string[],
    name: string,
    call: Partial<LaneCall> & { waitMs?: number } = {},
    signal = stays,
  ) {
    const place = join(lane, call);
    return place
      .turn(signal)
      .then(
        (turn) => {
          turn.sent();
          log.push(name);
        },
        (error: unknown) => {
          log.push(`${name}: ${error instanceof GatewayError ? error.code : String(error)}`);
        },
      )
      .finally(() => place[Symbol.dispose]());
  }

  function refusal(act: () => unknown): GatewayError {
    try {
      act();
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  /** For what must happen some time: a busy machine may be late, never wrong. */
  async function eventually(happened: () => boolean): Promise<void> {
    const until = clock.now() + 10_000;
    while (!happened() && clock.now() < until) await pass(10);
    expect(happened()).toBe(true);
  }

  afterEach(async () => {
    for (const lane of made.splice(0)) await lane.close();
  });

  return { clock, pass, stays, makeLane, join, send, refusal, eventually };
}
