import type { SessionStore } from '../domain/session.ts';

/** When sessions were last used here, ahead of what is written down. */
export class SessionUses {
  readonly #store: Pick<SessionStore, 'touch'>;
  #unwritten = new Map<string, number>();
  /** Kept for one round more: what was asked of the store before may be older. */
  #written: ReadonlyMap<string, number> = new Map();

  constructor(store: Pick<SessionStore, 'touch'>) {
    this.#store = store;
  }

  note(digest: string, epochMs: number): void {
    this.#unwritten.set(digest, Math.max(epochMs, this.lastSeenAt(digest)));
  }

  /** Milliseconds since 1970; 0 when it was not used here lately. */
  lastSeenAt(digest: string): number {
    return Math.max(this.#unwritten.get(digest) ?? 0, this.#written.get(digest) ?? 0);
  }

  /** Writes down what is noted; never throws: what cannot be written is tried again the next time. */
  async flush(): Promise<void> {
    const uses = this.#unwritten;
    this.#unwritten = new Map();
    this.#written = uses;
    if (uses.size === 0) return;
    try {
      await this.#store.touch(uses);
    } catch {
      for (const [digest, epochMs] of uses) this.note(digest, epochMs);
    }
  }
}
