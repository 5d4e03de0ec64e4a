import { randomUUIDv7 } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import type { Lane } from '../domain/lane.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import type { ProbedKey } from '../domain/probed-key.ts';
import { type Mason, SendFailure } from '../mason/send.ts';
import { hearRate } from './hear-rate.ts';

const PROBE = '/v1/default/device?limit=1';
const PROBE_WAIT_MS = 30_000;
const BODY_BYTES_MAX = 65_536;

/**
 * Tries a key with one harmless call, in its turn in the line: 200 and 403 say that Mason knows it, 401 that it does not.
 *
 * @throws GatewayError where the line refuses
 */
export async function probeKey(rooms: { mason: Mason; clock: Clock }, lane: Lane, key: OpenedKey): Promise<ProbedKey> {
  using place = lane.join({
    appId: 'gateway',
    weight: 1,
    urgency: 3,
    deadlineAt: rooms.clock.now() + PROBE_WAIT_MS,
    heldBytes: 1_024,
  });
  const signal = AbortSignal.timeout(PROBE_WAIT_MS * 2);
  const turn = await place.turn(signal);
  turn.sent();
  const sentAt = rooms.clock.now();
  try {
    const headers = {
      accept: 'application/json',
      'user-agent': 'mason-gateway',
      'request-id': randomUUIDv7(),
      authorization: `basic ${key.secret.reveal()}`,
    };
    const answer = await rooms.mason.send(
      { method: 'GET', target: PROBE, headers, body: undefined, connection: 'shared' },
      signal,
    );
    hearRate(lane, answer, sentAt, rooms.clock.epochMs());
    await answer.body.collect(BODY_BYTES_MAX).catch(() => answer.body.discard());
    return healthFrom(answer.status);
  } catch (error) {
    if (!(error instanceof SendFailure)) throw error;
    return { verdict: 'unclear', message: `GET ${PROBE}: no answer (${error.reason}): try again` };
  }
}

function healthFrom(status: number): ProbedKey {
  const asked = `GET ${PROBE}`;
  if (status === 200)
    return { verdict: 'alive', status, message: `${asked} answered 200: Mason knows the key, and it reads devices` };
  if (status === 403) {
    return { verdict: 'alive', status, message: `${asked} answered 403: Mason knows the key; it may not read devices` };
  }
  if (status === 401)
    return { verdict: 'dead', status, message: `${asked} answered 401: Mason does not know this key` };
  return {
    verdict: 'unclear',
    status,
    message: `${asked} answered ${status}, which says nothing about the key: try again`,
  };
}
