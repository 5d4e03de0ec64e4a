import { z } from 'zod';
import { LEARNING_CHARACTERS_MAX } from '../../domain/learning.ts';
import type { Again } from './falling.ts';
import { HORIZONS_MS, type KeptCounts } from './horizon-counts.ts';
import type { Level } from './level.ts';

/** A refusal, with its instant as the learner counts time. */
interface LearnerRefusal {
  readonly at: number;
  readonly askedMs: number | undefined;
  readonly windowMs: number;
  readonly taken: number;
}

/** What the learner knows beside its counts. */
export interface LearnerMemory {
  levels: readonly Level[];
  /** The last fall; `resumedAt`: when the first call was taken after it, or when it fell as long as none was. */
  lastFall: { sentAt: number; resumedAt: number; provingMs: number; again: Again } | undefined;
  refusals: readonly LearnerRefusal[];
  refusalsSeen: number;
  waitsUntil: number;
}

/** Until the longest window has room, and a little more: clocks differ. */
const WAITS_MS_MAX = 86_400_000 + 60_000;

const age = z.number().min(-86_400_000).max(1e13);
const windowMs = z.number().min(100).max(86_400_000);
const calls = z.number().min(1).max(1e12);
const bucket = z.tuple([z.number().min(0).max(86_400_000), z.number().min(0).max(1e12)]).readonly();

const keptState = z.object({
  levels: z
    .array(
      z.object({
        windowMs,
        calls,
        from: z.enum(['assumed', 'learnt', 'stated']),
        takenBefore: z.number().min(0).max(1e12).optional(),
        ageMs: age,
        steps: z.int().min(0).max(1_000_000),
        probeEveryMs: z.number().min(0).max(1e12),
      }),
    )
    .min(1)
    .max(16),
  lastFall: z
    .object({ ageMs: age, resumedAgeMs: age, provingMs: age, falls: z.int().min(0).max(1_000_000) })
    .optional(),
  refusals: z
    .array(
      z.object({
        ageMs: age,
        askedMs: z.number().min(0).max(3_600_000).optional(),
        windowMs,
        taken: z.number().min(0).max(1e12),
      }),
    )
    .max(8),
  refusalsSeen: z.int().min(0),
  waitsMs: z.number().min(0).max(WAITS_MS_MAX),
  said: z.string().max(512),
  counts: z.array(z.tuple([z.literal(HORIZONS_MS), z.array(bucket).max(256)])).max(HORIZONS_MS.length),
});

/** What a learner knows, in ages instead of instants: another process has another clock. */
export type KeptState = z.output<typeof keptState>;

/** Undefined: not what this release, or any before it, wrote. */
export function parseKeptState(text: string): KeptState | undefined {
  if (text.length > LEARNING_CHARACTERS_MAX) return undefined;
  try {
    return keptState.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function stateOf(memory: LearnerMemory, said: string, counts: KeptCounts, now: number): KeptState {
  const { lastFall } = memory;
  return {
    levels: memory.levels.map(({ since, ...level }) => ({ ...level, ageMs: Math.round(now - since) })),
    lastFall: lastFall && {
      ageMs: Math.round(now - lastFall.sentAt),
      resumedAgeMs: Math.round(now - lastFall.resumedAt),
      provingMs: lastFall.provingMs,
      falls: lastFall.again.falls,
    },
    refusals: memory.refusals.map(({ at, ...refusal }) => ({ ...refusal, ageMs: Math.round(now - at) })),
    refusalsSeen: memory.refusalsSeen,
    waitsMs: Math.max(0, Math.ceil(memory.waitsUntil - now)),
    said,
    counts: counts.map(([horizonMs, buckets]) => [
      horizonMs as (typeof HORIZONS_MS)[number],
      buckets.map((one) => one),
    ]),
  };
}

/** The same on this process' clock, `ageMs` after it was kept. */
export function wakenState(
  state: KeptState,
  now: number,
  ageMs: number,
): { memory: LearnerMemory; counts: KeptCounts; ageMs: number } {
  const keptAt = now - ageMs;
  const { lastFall } = state;
  return {
    memory: {
      levels: state.levels.map(({ ageMs: levelAgeMs, takenBefore, ...level }) => ({
        ...level,
        takenBefore,
        since: keptAt - levelAgeMs,
      })),
      lastFall: lastFall && {
        sentAt: keptAt - lastFall.ageMs,
        resumedAt: keptAt - lastFall.resumedAgeMs,
        provingMs: lastFall.provingMs,
        again: { falls: lastFall.falls, takenRate: 0 },
      },
      refusals: state.refusals.map(({ ageMs: refusalAgeMs, askedMs, ...refusal }) => ({
        ...refusal,
        askedMs,
        at: keptAt - refusalAgeMs,
      })),
      refusalsSeen: state.refusalsSeen,
      waitsUntil: keptAt + state.waitsMs,
    },
    counts: state.counts,
    ageMs,
  };
}
