import type { FairQueue } from './fair-queue.ts';
import type { AppLine, Waiter } from './waiter.ts';

interface LineBounds {
  readonly waitingCallsMax: number;
  readonly waitingBytesMax: number;
}

/**
 * Who must go for a newcomer to a full line: the last calls of the app that holds most of it for its weight, as long as
 * that app keeps at least what the newcomer's app then has. So an app that floods the line shuts out only itself.
 *
 * @returns undefined when nobody must: the newcomer is refused.
 */
export function makeRoom<W extends Waiter<W>>(queue: FairQueue<W>, newcomer: W, bounds: LineBounds): W[] | undefined {
  const ofBytes = queue.waiting < bounds.waitingCallsMax;
  const used = (app: AppLine<W>) => (ofBytes ? app.heldBytes : app.waiting.size) / app.weight;
  const cost = (waiter: W) => (ofBytes ? waiter.call.heldBytes : 1) / waiter.app.weight;

  let greediest: AppLine<W> | undefined;
  for (const app of queue.waitingApps()) {
    if (greediest === undefined || used(app) > used(greediest)) greediest = app;
  }
  if (greediest === undefined || greediest === newcomer.app) return undefined;

  const newcomerUses = used(newcomer.app) + cost(newcomer);
  let left = used(greediest);
  let calls = queue.waiting + 1;
  let bytes = queue.waitingBytes + newcomer.call.heldBytes;
  const leaving: W[] = [];
  for (const last of greediest.waiting.backwards()) {
    left -= cost(last);
    if (last.returning || left < newcomerUses) return undefined;
    leaving.push(last);
    calls -= 1;
    bytes -= last.call.heldBytes;
    if (calls <= bounds.waitingCallsMax && bytes <= bounds.waitingBytesMax) return leaving;
  }
  return undefined;
}
