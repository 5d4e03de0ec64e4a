import { GatewayError } from '../domain/errors.ts';
import type { LaneShare } from '../domain/lane.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import { isBodyDue } from '../http/body-time.ts';
import { watchReader } from '../http/watch-reader.ts';
import { formsOf, type KeyForms, Redactor } from '../mason/redact.ts';
import { type Answer, SendFailure } from '../mason/send.ts';
import { callHeaders, passedHeaders } from './answer-headers.ts';
import type { Call } from './call.ts';

/** For all calls whose answer was there at once: most. */
const DONE = Promise.resolve();
const forms = new WeakMap<OpenedKey, KeyForms>();

/** A redactor for a key; the forms to look for are worked out once. */
export function redactorFor(key: OpenedKey): Redactor {
  let known = forms.get(key);
  if (known === undefined) {
    known = formsOf(key.secret.reveal());
    forms.set(key, known);
  }
  return new Redactor(known);
}

/**
 * Passes a good answer on: allowed headers, and the body as it comes, at the pace at which the caller reads. A body that
 * breaks off breaks off for the caller too: never a well-framed short answer (RFC 9112 section 8).
 *
 * @param idleMs how long a caller may take nothing of what waits for it
 * @throws SendFailure when Mason breaks off, `caller_gone` when the caller does
 */
export function relay(call: Call, answer: Answer, redactor: Redactor, share: LaneShare, idleMs: number): Promise<void> {
  const { res } = call;
  const headers = [...callHeaders(call, share), ...passedHeaders(answer, redactor)];
  if (isBodyDue(call.req)) headers.push('Connection', 'close');
  const whole = answer.body.whole();
  if (whole !== undefined) {
    const body = redactor.whole(whole);
    if (call.req.method !== 'HEAD' && answer.status !== 204 && answer.status !== 304) {
      if (answer.headers['content-length'] === undefined) headers.push('Content-Length', String(body.length));
      call.bytesOut = body.length;
    }
    call.redacted = redactor.found;
    res.writeHead(answer.status, headers);
    // As one string Node writes head and body with one call to the kernel; latin1 keeps each byte.
    res.end(body.toString('latin1'), 'latin1');
    return DONE;
  }
  res.writeHead(answer.status, headers);
  return stream(call, answer, redactor, idleMs);
}

async function stream(call: Call, answer: Answer, redactor: Redactor, idleMs: number): Promise<void> {
  const { res } = call;
  let watch: Disposable | undefined;
  const awaitReader = (): void => {
    watch ??= watchReader(call.req.socket, idleMs, () => {
      call.abort(new GatewayError('caller_gone', `the caller read nothing for ${idleMs} ms`));
      res.destroy();
    });
  };
  const onDrain = (): void => {
    watch?.[Symbol.dispose]();
    watch = undefined;
    answer.body.resume();
  };
  res.on('drain', onDrain);
  try {
    await answer.body.read((chunk) => {
      const clean = redactor.push(chunk);
      call.bytesOut += clean.length;
      if (res.write(clean)) return;
      answer.body.pause();
      awaitReader();
    });
    const tail = redactor.end();
    call.bytesOut += tail?.length ?? 0;
    awaitReader();
    await delivered(call, tail);
  } catch (error) {
    res.destroy();
    throw error;
  } finally {
    watch?.[Symbol.dispose]();
    res.off('drain', onDrain);
    call.redacted = redactor.found;
  }
}

/** Ends the answer; settles when the last byte has left this process, so that a gateway that ends does not cut it. */
function delivered({ res, signal }: Call, tail: Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(new SendFailure('left', true, signal.reason));
    if (signal.aborted) {
      leave();
      return;
    }
    signal.addEventListener('abort', leave, { once: true });
    res.end(tail, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
  });
}
