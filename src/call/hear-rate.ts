import type { Lane } from '../domain/lane.ts';
import type { Answer } from '../mason/send.ts';
import { askedWaitMs } from '../mason/slow-down.ts';
import { statedLimits } from '../mason/stated-limits.ts';

/** A lane that learns its limit listens to every answer. */
export function hearRate(
  lane: Lane,
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  sentAt: number,
  epochMs: number,
): void {
  lane.heard?.({
    sentAt,
    refused: status === 429,
    askedMs: status === 429 ? askedWaitMs(headers, epochMs) : undefined,
    stated: statedLimits(headers, epochMs),
  });
}
