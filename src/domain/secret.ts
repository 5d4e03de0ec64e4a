import { inspect } from 'node:util';

const MASK = '[secret]';

/**
 * A credential that cannot be printed, logged or serialised: every way of turning it into text gives a mask. Whoever
 * needs the value must ask with {@link Secret.reveal}, and a test allows that word in few files.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Only where it is sealed, opened, or put into the header to Mason. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
