import { type Answer, errorAnswer } from './mason/answer.ts';

/** Mason documents the 409 for "the same idempotent key" and neither the header's name nor how long it remembers: all assumed. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';
const KEYS_KEPT = 10_000;

const OTHER_REQUEST = errorAnswer(409, 'conflict_error', 'The idempotency key was used with another request');

/** Answers by idempotency key: the same request again gets the same answer and changes nothing, another one a conflict. */
export class Idempotency {
  readonly #remembered = new Map<string, { readonly request: string; readonly answer: Answer }>();

  /**
   * The answer for `request` under `key`, made by `process` the first time. What failed changed nothing and is not remembered.
   * @param request tells requests apart: method, target and the body's digest.
   */
  once(key: string, request: string, process: () => Answer): Answer {
    const known = this.#remembered.get(key);
    if (known !== undefined) return known.request === request ? known.answer : OTHER_REQUEST;
    const answer = process();
    if (answer.status !== 200) return answer;
    this.#remembered.set(key, { request, answer });
    const oldest = this.#remembered.keys().next();
    if (this.#remembered.size > KEYS_KEPT && oldest.done !== true) this.#remembered.delete(oldest.value);
    return answer;
  }
}
