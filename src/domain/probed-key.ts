/** What a try of a Mason key found. */
export interface ProbedKey {
  /** `alive`: Mason knows the key; `dead`: it answered 401; `unclear`: no answer that tells. */
  readonly verdict: 'alive' | 'dead' | 'unclear';
  /** Mason's status; absent when there was no answer. */
  readonly status?: number;
  /** For people: what was asked and what came. */
  readonly message: string;
}
