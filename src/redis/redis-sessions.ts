import { GatewayError } from '../domain/errors.ts';
import type { SessionStore, StoredSession } from '../domain/session.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisFailure } from './redis-failure.ts';
import { type RedisScript, redisScript } from './redis-script.ts';

/** What ended is judged by its times, not by its absence; it stays so long after its end when no gateway runs that sweeps. */
const KEPT_MS = 3_600_000;
/** Sessions that one script works on: Redis does nothing else meanwhile. */
const BATCH_MAX = 200;

const ADD = redisScript('addSession-1');
const READ = redisScript('readSessions-1');
const TOUCH = redisScript('touchSessions-1');
const END = redisScript('endSessions-1');
const ADD_TICKET = redisScript('addTicket-1');
const TAKE_TICKET = redisScript('takeTicket-1');

type Field = Buffer | null;

/**
 * Sessions for several gateways. Each method is one script, so that nothing comes between its steps; a session is only ever
 * made by `add`. All keys share one hash tag, and lie on one node of a cluster: ending a person's sessions is then one step
 * too, and a session costs a few hundred bytes and a question each half second that it is used.
 */
export function redisSessions(redis: Pick<RedisClient, 'keys' | 'runForBytes'>): SessionStore {
  const root = redis.keys.sessions;

  async function run(script: RedisScript, ...given: (string | number | Uint8Array)[]): Promise<unknown> {
    try {
      return await redis.runForBytes(script, [root, ...given]);
    } catch (error) {
      if (error instanceof RedisFailure && error.away) throw sessionsUnavailable(error);
      throw error;
    }
  }

  async function read(by: 'digest' | 'person' | 'newest', value: string | number): Promise<StoredSession[]> {
    return ((await run(READ, by, value)) as Field[][]).map(toSession);
  }

  return {
    async add({ digest, id, personId, providerDigest = '', endsAt, lastSeenAt, sealed }) {
      const added = await run(ADD, digest, id, personId, providerDigest, endsAt, lastSeenAt, sealed, KEPT_MS);
      if (added === 0) throw new GatewayError('conflict', 'there is such a session already');
    },

    async find(digest) {
      return (await read('digest', digest))[0];
    },

    async touch(seenAtByDigest) {
      const all = [...seenAtByDigest];
      for (let from = 0; from < all.length; from += BATCH_MAX) {
        await run(TOUCH, ...all.slice(from, from + BATCH_MAX).flat());
      }
    },

    async listByPerson(personId) {
      const found = await read('person', personId);
      return found.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt || (a.id < b.id ? -1 : 1));
    },

    list: (limit) => read('newest', limit),

    async end(which) {
      return (await runEnd(...wanted(which))).digests;
    },

    async sweep(nowEpochMs, seenBefore) {
      let swept = 0;
      for (let more = true; more; ) {
        const ended = await runEnd('over', nowEpochMs, seenBefore, BATCH_MAX);
        swept += ended.digests.length;
        ({ more } = ended);
      }
      return swept;
    },

    async addTicket({ digest, sessionDigest, method, target, endsAt }) {
      const added = await run(ADD_TICKET, digest, sessionDigest, method, target, endsAt, KEPT_MS);
      if (added === 0) throw new GatewayError('conflict', 'there is such a ticket already');
    },

    async takeTicket(digest, nowEpochMs) {
      const [sessionDigest, method, target, endsAt] = (await run(TAKE_TICKET, digest)) as Field[];
      if (!sessionDigest || Number(endsAt) <= nowEpochMs) return undefined;
      return {
        digest,
        sessionDigest: text(sessionDigest),
        method: text(method),
        target: text(target),
        endsAt: Number(endsAt),
      };
    },
  };

  async function runEnd(...given: (string | number)[]): Promise<{ more: boolean; digests: string[] }> {
    const [more, ...digests] = (await run(END, ...given)) as [number, ...Buffer[]];
    return { more: more === 1, digests: digests.map(text) };
  }
}

function wanted(which: Parameters<SessionStore['end']>[0]): [by: string, value: string] {
  if ('digest' in which) return ['digest', which.digest];
  if ('id' in which) return ['id', which.id];
  if ('personId' in which) return ['person', which.personId];
  return ['provider', which.providerDigest];
}

function toSession([digest, id, personId, providerDigest, endsAt, lastSeenAt, sealed]: Field[]): StoredSession {
  return {
    digest: text(digest),
    id: text(id),
    personId: text(personId),
    providerDigest: providerDigest ? text(providerDigest) : undefined,
    endsAt: Number(endsAt),
    lastSeenAt: Number(lastSeenAt),
    sealed: new Uint8Array(sealed ?? []),
  };
}

function text(field: Field | undefined): string {
  return field?.toString() ?? '';
}

function sessionsUnavailable(cause: unknown): GatewayError {
  return new GatewayError(
    'store_unavailable',
    'the store of sessions does not answer just now: try again in a moment',
    {
      retryAfterMs: 1_000,
      cause,
    },
  );
}
