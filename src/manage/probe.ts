import type { OpenedKey } from '../domain/mason-key.ts';

export interface ProbeResult {
  /** `alive`: Mason knows the key; `dead`: it answered 401; `unclear`: no answer that tells. */
  readonly verdict: 'alive' | 'dead' | 'unclear';
  /** Mason's status; absent when there was no answer. */
  readonly status?: number;
  /** For people: what was asked and what came. */
  readonly message: string;
}

/**
 * Tries a key with one harmless call, in its turn in the line.
 *
 * @throws GatewayError where the line refuses: `queue_full`, `deadline_unreachable`, `shutting_down`.
 */
export type Probe = (key: OpenedKey) => Promise<ProbeResult>;
