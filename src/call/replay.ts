import type { LeaveSignal } from '../domain/lane.ts';
import { AnswerBody } from '../mason/answer-body.ts';
import { SendFailure } from '../mason/send.ts';

/**
 * A body once more, from the pieces in which it came: given as its reader takes them, and broken off when that call ends.
 *
 * @param onOver hears, once, that the pieces are not looked at any more
 */
export function replay(pieces: readonly Buffer[], signal: LeaveSignal, onOver: () => void): AnswerBody {
  let given = 0;
  let isPaused = false;
  let isOver = false;
  const body = new AnswerBody({
    pause: () => {
      isPaused = true;
    },
    resume: () => {
      isPaused = false;
      // Not at once: whoever reads is told of the end only after having begun to.
      setImmediate(give);
    },
    abort: leave,
  });
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  else give();
  return body;

  function give(): void {
    while (!isPaused && given < pieces.length) body.push(pieces[given++] as Buffer);
    if (given === pieces.length) over(() => body.end());
  }

  function leave(): void {
    over(() => body.fail(new SendFailure('left', true, signal.reason)));
  }

  function over(settle: () => void): void {
    if (isOver) return;
    isOver = true;
    settle();
    onOver();
  }
}
