import { type Answer, errorAnswer } from './mason/answer.ts';
import type { KeyOptions } from './options.ts';
import { allowedScopes } from './scopes.ts';

export interface ApiKey {
  readonly key: string;
  readonly label: string;
  readonly account: string;
  readonly allowed: ReadonlySet<string>;
}

const NO_TOKEN = errorAnswer(401, 'authentication_error', 'Required authorization token not found');
const BAD_TOKEN = errorAnswer(401, 'authentication_error', 'The authorization token is not valid');
// Mason's documentation writes `basic`, its own clients `Basic`. What follows is the raw key, not base64 as in RFC 7617.
const CREDENTIALS = /^basic +(\S.*)$/i;

/** The keys that Mason's web app has handed out. */
export class Keyring {
  readonly #keys = new Map<string, ApiKey>();

  constructor(keys: readonly KeyOptions[]) {
    for (const [index, { key, scopes, label, account }] of keys.entries()) {
      const allowed = allowedScopes(scopes);
      this.#keys.set(key, { key, label: label ?? `key-${index + 1}`, account: account ?? 'default', allowed });
    }
  }

  /** The key that an Authorization header names, or Mason's refusal. */
  identify(authorization: string | undefined): ApiKey | Answer {
    const presented = CREDENTIALS.exec(authorization ?? '')?.[1];
    if (presented === undefined) return NO_TOKEN;
    return this.#keys.get(presented) ?? BAD_TOKEN;
  }

  all(): Iterable<ApiKey> {
    return this.#keys.values();
  }
}
