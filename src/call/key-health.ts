/** What Mason last said of a key: `ok`: takes it; `refused`: answered 401; `unused`: nothing since this gateway started. */
export type KeyVerdict = 'ok' | 'refused' | 'unused';

/** What the calls of this gateway found out about keys, by fingerprint. */
export class KeyHealth {
  readonly #refused = new Map<string, boolean>();

  /** Notes the status that Mason answered to a key; failures of Mason's own say nothing. */
  note(fingerprint: string, status: number): void {
    if (status >= 500) return;
    const refused = status === 401;
    if (this.#refused.get(fingerprint) !== refused) this.#refused.set(fingerprint, refused);
  }

  verdict(fingerprint: string): KeyVerdict {
    const refused = this.#refused.get(fingerprint);
    if (refused === undefined) return 'unused';
    return refused ? 'refused' : 'ok';
  }
}
