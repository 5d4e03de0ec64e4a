import type { KeptLearning, Learning } from '../../domain/learning.ts';
import { parseKeptState, wakenState } from './kept-state.ts';
import { describeLearning } from './learning-view.ts';

/** What is kept of a budget's learning, for people. Undefined: it was forgotten, or another release wrote it. */
export function learningFrom({ state, writtenAt }: KeptLearning, epochMs: number): Learning | undefined {
  const kept = parseKeptState(state);
  if (kept === undefined) return undefined;
  const { memory } = wakenState(kept, epochMs, Math.max(0, epochMs - writtenAt));
  return describeLearning(memory, false, epochMs, epochMs);
}
