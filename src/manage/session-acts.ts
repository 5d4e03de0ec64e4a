import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import type { EndSessions } from './end-sessions.ts';
import { personId, sessionId } from './fields.ts';
import { personWithId } from './look-up.ts';

/** Somebody's browser session. Its content is sealed, and nothing here lets anybody act. */
export interface SessionView {
  /** Public; not the id in the cookie. */
  readonly id: string;
  readonly personId: string;
  readonly person: string;
  /** ISO times; the first some seconds behind, the second whatever happens. */
  readonly lastSeenAt: string;
  readonly endsAt: string;
}

export interface SessionActs {
  /** `{person?}`, by id: sessions that have not reached their end, last used first, at most 1,000. */
  'session.list': Act<{ data: readonly SessionView[] }>;
  /** `{id}`: with the calls that it has under way. */
  'session.end': Act<{ ended: string }>;
}

const SESSIONS_MAX = 1_000;

export function sessionActs(deps: ActDeps & { endSessions: EndSessions }): SessionActs {
  const { store, clock, endSessions } = deps;
  return {
    'session.list': looking(
      deps,
      { name: 'session.list', need: 'operator', input: z.strictObject({ person: personId.optional() }) },
      async (input, { reach }) => {
        const sessions =
          input.person === undefined
            ? await store.sessions.list(SESSIONS_MAX)
            : await store.sessions.listByPerson((await personWithId(reach, input.person)).id);
        const names = new Map((await store.people.list()).map(({ id, name }) => [id, name]));
        const nowEpochMs = clock.epochMs();
        const data = sessions
          .filter(({ endsAt }) => endsAt > nowEpochMs)
          .map(({ id, personId, lastSeenAt, endsAt }) => ({
            id,
            personId,
            person: names.get(personId) ?? '?',
            lastSeenAt: new Date(lastSeenAt).toISOString(),
            endsAt: new Date(endsAt).toISOString(),
          }));
        return { answer: { data } };
      },
    ),

    'session.end': changing(
      deps,
      { name: 'session.end', need: 'operator', input: z.strictObject({ id: sessionId }) },
      async ({ id }) => ({
        async carryOut() {
          if ((await endSessions({ id }, 'ended by an operator')) > 0) return { ended: id };
          throw new GatewayError('not_found', `there is no session ${id}, or it has ended`);
        },
      }),
    ),
  };
}
