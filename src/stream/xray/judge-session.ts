import type { Call } from '../../call/call.ts';
import { judgeFailure, judgeRefusal, MasonAnsweredError, type Verdict } from '../../call/judge.ts';
import { redactorFor } from '../../call/relay.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { OpenedKey } from '../../domain/mason-key.ts';
import { readMasonError } from '../../mason/error-shapes.ts';
import type { SendFailure } from '../../mason/send.ts';
import type { XrayAnswer } from './attempt.ts';

const TOO_MANY = 429;

/**
 * Judges what Mason said to the wish for a session. Without one nothing was changed, whatever it said; and that a session is
 * active on the device already (429) is an answer to the caller, and no word about the rate.
 */
export function judgeSession(call: Call, key: OpenedKey, answer: XrayAnswer): Verdict {
  if (answer.kind === 'opened') return { kind: 'pass' };
  if (answer.kind === 'unfit') return { kind: 'error', error: answer.error };
  const { status, contentType, body } = answer;
  if (status < 300 || status > 599) {
    const message = `Mason answered ${String(status).padStart(3, '0')} where a WebSocket was asked for`;
    return { kind: 'error', error: new GatewayError('mason_bad_answer', message) };
  }
  const redactor = redactorFor(key);
  const said = readMasonError(status, contentType, redactor.whole(body));
  call.redacted += redactor.found;
  if (status === TOO_MANY) return { kind: 'error', error: new MasonAnsweredError(status, said) };
  return judgeRefusal(status, said, false);
}

/** Judges that there was no answer. What may have reached Mason may have a session there, to which the next would be a second. */
export function judgeNoSession(call: Call, failure: SendFailure): Verdict {
  const verdict = judgeFailure(failure, { changes: false, attempts: call.attempts.length });
  return failure.reached && verdict.kind === 'again' ? { kind: 'error', error: verdict.error } : verdict;
}
