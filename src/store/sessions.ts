import type { SessionStore, StoredSession, Ticket } from '../domain/session.ts';
import { read, write } from './access.ts';
import type { Change, Database, SessionRow, TicketRow } from './schema.ts';

/** Sessions and their tickets: these go with their session. A session is only ever inserted by `add`, so nothing revives one. */
export function storedSessions(database: Database): SessionStore {
  const prompt = <T>(act: (tx: Change) => Promise<T>): Promise<T> =>
    write(database, act, { duplicate: 'there is such a session, or such a ticket, already', promptly: true });

  return {
    async add(session) {
      await prompt((tx) => tx.insertInto('sessions').values(toRow(session)).execute());
    },

    async find(digest) {
      const row = await read(database, (db) =>
        db.selectFrom('sessions').selectAll().where('digest', '=', digest).executeTakeFirst(),
      );
      return row && toSession(row);
    },

    async touch(seenAtByDigest) {
      if (seenAtByDigest.size === 0) return;
      await prompt(async (tx) => {
        for (const [digest, seenAt] of seenAtByDigest) {
          await tx
            .updateTable('sessions')
            .set({ last_seen_at: seenAt })
            .where('digest', '=', digest)
            // Gateways report in any order: the newest use stays.
            .where('last_seen_at', '<', seenAt)
            .execute();
        }
      });
    },

    async listByPerson(personId) {
      const rows = await read(database, (db) =>
        db
          .selectFrom('sessions')
          .selectAll()
          .where('person_id', '=', personId)
          .orderBy('last_seen_at', 'desc')
          .orderBy('id')
          .execute(),
      );
      return rows.map(toSession);
    },

    async list(limit) {
      const rows = await read(database, (db) =>
        db.selectFrom('sessions').selectAll().orderBy('last_seen_at', 'desc').orderBy('id').limit(limit).execute(),
      );
      return rows.map(toSession);
    },

    async end(which) {
      const ended = await prompt((tx) => {
        const sessions = tx.deleteFrom('sessions').returning('digest');
        if ('digest' in which) return sessions.where('digest', '=', which.digest).execute();
        if ('id' in which) return sessions.where('id', '=', which.id).execute();
        if ('personId' in which) return sessions.where('person_id', '=', which.personId).execute();
        return sessions.where('provider_digest', '=', which.providerDigest).execute();
      });
      return ended.map(({ digest }) => digest);
    },

    async sweep(nowEpochMs, seenBefore) {
      return await prompt(async (tx) => {
        await tx.deleteFrom('tickets').where('ends_at', '<', nowEpochMs).execute();
        const forgotten = await tx
          .deleteFrom('sessions')
          .where(({ or, eb }) => or([eb('ends_at', '<', nowEpochMs), eb('last_seen_at', '<', seenBefore)]))
          .executeTakeFirst();
        return Number(forgotten.numDeletedRows);
      });
    },

    async addTicket(ticket) {
      await prompt(async (tx) => {
        const session = await tx
          .selectFrom('sessions')
          .select('digest')
          .where('digest', '=', ticket.sessionDigest)
          .executeTakeFirst();
        // Ended meanwhile: its ticket would lead nowhere.
        if (session === undefined) return;
        await tx.insertInto('tickets').values(toTicketRow(ticket)).execute();
      });
    },

    async takeTicket(digest, nowEpochMs) {
      const row = await prompt((tx) =>
        tx.deleteFrom('tickets').where('digest', '=', digest).returningAll().executeTakeFirst(),
      );
      return row !== undefined && row.ends_at > nowEpochMs ? toTicket(row) : undefined;
    },
  };
}

function toRow(session: StoredSession): SessionRow {
  return {
    digest: session.digest,
    id: session.id,
    person_id: session.personId,
    provider_digest: session.providerDigest ?? null,
    ends_at: session.endsAt,
    last_seen_at: session.lastSeenAt,
    sealed: session.sealed,
  };
}

function toSession(row: SessionRow): StoredSession {
  return {
    digest: row.digest,
    id: row.id,
    personId: row.person_id,
    providerDigest: row.provider_digest ?? undefined,
    endsAt: row.ends_at,
    lastSeenAt: row.last_seen_at,
    sealed: row.sealed,
  };
}

function toTicketRow(ticket: Ticket): TicketRow {
  return {
    digest: ticket.digest,
    session_digest: ticket.sessionDigest,
    method: ticket.method,
    target: ticket.target,
    ends_at: ticket.endsAt,
  };
}

function toTicket(row: TicketRow): Ticket {
  return {
    digest: row.digest,
    sessionDigest: row.session_digest,
    method: row.method,
    target: row.target,
    endsAt: row.ends_at,
  };
}
