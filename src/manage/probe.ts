import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import type { ProbedKey } from '../domain/probed-key.ts';

/**
 * Tries a key with one harmless call, in its turn in the line.
 *
 * @throws GatewayError where the line refuses: `queue_full`, `deadline_unreachable`, `shutting_down`.
 */
export type Probe = (key: OpenedKey) => Promise<ProbedKey>;

/** Refused for rate, a try goes back to its place after so long. Half a minute in all. */
const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 16_000];

/**
 * Settles once Mason has taken a key. A key that could not be tried is no better than a dead one: the one in its place works, so
 * waiting costs nothing.
 *
 * @throws GatewayError `conflict` when Mason does not know it; `mason_unreachable`, `mason_bad_answer` when nobody can tell; those
 * of {@link Probe}
 */
export async function ensureAlive({ probe, clock }: { probe: Probe; clock: Clock }, key: OpenedKey): Promise<void> {
  let result = await probe(key);
  for (const waitMs of WAITS_MS) {
    if (result.status !== 429) break;
    await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    result = await probe(key);
  }
  const { verdict, status, message } = result;
  if (verdict === 'alive') return;
  if (verdict === 'dead') {
    throw new GatewayError('conflict', `Mason does not take the new key, so nothing was changed: ${message}`);
  }
  throw new GatewayError(
    status === undefined ? 'mason_unreachable' : 'mason_bad_answer',
    `the new key could not be tried, so nothing was changed: ${message}`,
  );
}
