import type { Clock } from '../domain/clock.ts';
import type { SessionStore } from '../domain/session.ts';
import { openContent, type SessionContent, type SessionSeal } from './session-content.ts';

/** How old an answer of the store's may be. */
const FRESH_MS = 500;
/** Past this many sessions the longest remembered is asked for anew. */
const ENTRIES_MAX = 10_000;

/** A session as the store has it; whether it holds still is judged by who asks. */
export interface FoundSession {
  readonly content: SessionContent;
  /** Milliseconds since 1970, as far as it is written down. */
  readonly lastSeenAt: number;
}

interface Entry {
  readonly askedAt: number;
  readonly found: Promise<FoundSession | undefined>;
}

/**
 * Sessions as the store had them at most 500 ms ago, and those of which it is known that they ended: here, at once. Who asked
 * before that and hears the answer after it must ask `hasEnded`, too.
 */
export class RememberedSessions {
  readonly #store: Pick<SessionStore, 'find'>;
  readonly #seal: SessionSeal;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #ended = new Set<string>();
  readonly #listeners: ((digest: string) => void)[] = [];

  constructor(store: Pick<SessionStore, 'find'>, seal: SessionSeal, clock: Clock) {
    this.#store = store;
    this.#seal = seal;
    this.#clock = clock;
  }

  onEnded(listener: (digest: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Marks a session as ended, for good, and tells so: once. */
  end(digest: string): void {
    this.#entries.delete(digest);
    if (this.#ended.has(digest)) return;
    keepBounded(this.#ended);
    this.#ended.add(digest);
    for (const listener of this.#listeners) listener(digest);
  }

  hasEnded(digest: string): boolean {
    return this.#ended.has(digest);
  }

  /**
   * Undefined when there is none, or it does not open.
   *
   * @param ageMsMax what the answer may be old; at most 500
   * @throws GatewayError `store_unavailable`
   */
  find(digest: string, ageMsMax = FRESH_MS): Promise<FoundSession | undefined> {
    if (this.#ended.has(digest)) return Promise.resolve(undefined);
    const known = this.#entries.get(digest);
    if (known !== undefined && this.#clock.now() - known.askedAt < ageMsMax) return known.found;
    const entry = { askedAt: this.#clock.now(), found: this.#ask(digest) };
    this.#entries.delete(digest);
    keepBounded(this.#entries);
    this.#entries.set(digest, entry);
    entry.found.then(
      // Strangers' cookies are not worth remembering.
      (found) => found === undefined && this.#forget(digest, entry),
      () => this.#forget(digest, entry),
    );
    return entry.found;
  }

  async #ask(digest: string): Promise<FoundSession | undefined> {
    const stored = await this.#store.find(digest);
    if (stored === undefined) {
      this.end(digest);
      return undefined;
    }
    const content = openContent(this.#seal, digest, stored.sealed);
    return content === undefined ? undefined : { content, lastSeenAt: stored.lastSeenAt };
  }

  #forget(digest: string, entry: Entry): void {
    if (this.#entries.get(digest) === entry) this.#entries.delete(digest);
  }
}

function keepBounded(memory: Pick<Map<string, unknown> | Set<string>, 'size' | 'keys' | 'delete'>): void {
  if (memory.size < ENTRIES_MAX) return;
  const [longest] = memory.keys();
  if (longest !== undefined) memory.delete(longest);
}
