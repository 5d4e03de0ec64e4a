import { z } from 'zod';
import type { Learning } from '../../domain/learning.ts';
import { type KeptState, parseKeptState, wakenState } from './kept-state.ts';
import { describeLearning } from './learning-view.ts';
import type { LimitLearner } from './limit-learner.ts';

/** What the gateway that learns told the others. */
export interface KnownLearning {
  /** Grows each time that what was learnt is forgotten. */
  readonly generation: number;
  readonly isRefused: boolean;
  readonly state: KeptState;
  /** When it was told, on this gateway's clock. */
  readonly at: number;
}

const known = z.object({ generation: z.int().min(0), isRefused: z.boolean(), state: z.string() });

export function knownText(learner: LimitLearner, generation: number, now: number): string {
  const isRefused = learner.view(now, 0).mode === 'waiting';
  return JSON.stringify({ generation, isRefused, state: JSON.stringify(learner.state(now)) });
}

/** Undefined: not what a gateway of this release, or any before it, wrote. */
export function parseKnown(text: string, at: number): KnownLearning | undefined {
  try {
    const { data } = known.safeParse(JSON.parse(text));
    const state = data && parseKeptState(data.state);
    return state && { generation: data.generation, isRefused: data.isRefused, state, at };
  } catch {
    return undefined;
  }
}

/** For people. */
export function describeKnown({ state, isRefused, at }: KnownLearning, now: number, epochMs: number): Learning {
  return describeLearning(wakenState(state, now, now - at).memory, isRefused, now, epochMs);
}
