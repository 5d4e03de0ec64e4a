import type { Learning, LearningMode } from '../../domain/learning.ts';
import type { LearnerMemory } from './kept-state.ts';
import { type Level, limitOf, rateOf, tightest } from './level.ts';
import { risesAt } from './rising.ts';

/** What a learner knows, for people: with dates instead of instants. */
export function describeLearning(memory: LearnerMemory, isRefused: boolean, now: number, epochMs: number): Learning {
  const toEpoch = (at: number): number => Math.round(epochMs + at - now);
  const tight = tightest(memory.levels);
  const probesAt = risesAt(tight);
  return {
    mode: modeOf(tight, isRefused),
    levels: [...memory.levels]
      .sort((a, b) => rateOf(a) - rateOf(b))
      .map((level) => ({ ...limitOf(level), from: level.from, takenBefore: level.takenBefore })),
    refusals: memory.refusals.map(({ at, ...refusal }) => ({ ...refusal, at: toEpoch(at) })),
    refusalsSeen: memory.refusalsSeen,
    probesAt: probesAt === undefined ? undefined : toEpoch(probesAt),
    waitsUntil: memory.waitsUntil > now ? toEpoch(memory.waitsUntil) : undefined,
  };
}

function modeOf(tight: Level, isRefused: boolean): LearningMode {
  if (isRefused) return 'waiting';
  if (tight.from === 'stated') return 'stated';
  if (tight.from === 'assumed') return 'searching';
  return tight.steps > 0 ? 'probing' : 'holding';
}
