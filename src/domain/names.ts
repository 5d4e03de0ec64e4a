/**
 * Names of people by their ids. They outlive the people: the record names who acted by id alone, and what the id was called
 * stands here, where it can be erased without touching the record. Every method may throw GatewayError `store_unavailable`.
 */
export interface Names {
  set(id: string, name: string): Promise<void>;
  /** Those that are known; at most 1,000 ids at once, throws RangeError otherwise. */
  get(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** False when there was none. */
  erase(id: string): Promise<boolean>;
}

export const NAMES_MAX = 1_000;
