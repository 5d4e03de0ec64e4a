import type { People, Person } from '../domain/person.ts';
import { change, moveRevision, read, write } from './access.ts';
import { fromGrants, toGrants } from './role-grants.ts';
import type { Change, Database, PersonRow } from './schema.ts';

export function storedPeople(database: Database): People {
  return {
    async signIn({ id, issuer, subject, name, grants, at }) {
      const fresh: PersonRow = {
        id,
        issuer,
        subject,
        name,
        grants: fromGrants(grants),
        pinned: 0,
        disabled_at: null,
        created_at: at,
        last_sign_in_at: at,
      };
      const row = await write(database, (tx) => noteSignIn(tx, fresh), { promptly: true });
      return toPerson(row);
    },

    async findById(id) {
      const row = await read(database, (db) =>
        db.selectFrom('people').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toPerson(row);
    },

    async list() {
      const rows = await read(database, (db) =>
        db.selectFrom('people').selectAll().orderBy('name').orderBy('id').execute(),
      );
      return rows.map(toPerson);
    },

    async setGrants(id, grants, pinned) {
      return await set(id, { grants: fromGrants(grants), pinned: pinned ? 1 : 0 });
    },

    async setDisabled(id, at) {
      return await set(id, { disabled_at: at ?? null });
    },

    async remove(id) {
      return await change(database, async (tx) => {
        const result = await tx.deleteFrom('people').where('id', '=', id).executeTakeFirst();
        return result.numDeletedRows > 0n;
      });
    },

    async erase(id) {
      return await change(database, async (tx) => {
        const person = await tx.deleteFrom('people').where('id', '=', id).executeTakeFirst();
        const name = await tx.deleteFrom('names').where('id', '=', id).executeTakeFirst();
        return person.numDeletedRows + name.numDeletedRows > 0n;
      });
    },
  };

  async function set(id: string, values: Partial<PersonRow>): Promise<boolean> {
    return await change(database, async (tx) => {
      const result = await tx.updateTable('people').set(values).where('id', '=', id).executeTakeFirst();
      return result.numUpdatedRows > 0n;
    });
  }
}

async function noteSignIn(tx: Change, fresh: PersonRow): Promise<PersonRow> {
  const person = await noteGrants(tx, fresh);
  const { id, name } = person;
  await tx
    .insertInto('names')
    .values({ id, name })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ name }))
    .execute();
  return person;
}

async function noteGrants(tx: Change, fresh: PersonRow): Promise<PersonRow> {
  const added = await tx
    .insertInto('people')
    .values(fresh)
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .executeTakeFirst();
  if (added.numInsertedOrUpdatedRows === 1n) {
    await moveRevision(tx);
    return fresh;
  }
  const known = await tx
    .selectFrom('people')
    .selectAll()
    .where('issuer', '=', fresh.issuer)
    .where('subject', '=', fresh.subject)
    .executeTakeFirstOrThrow();
  const changes = {
    name: fresh.name,
    grants: known.pinned === 1 ? known.grants : fresh.grants,
    last_sign_in_at: Math.max(fresh.created_at, known.last_sign_in_at ?? 0),
  };
  await tx.updateTable('people').set(changes).where('id', '=', known.id).execute();
  // The time alone decides nothing: people who come and go must not make every gateway forget what it knows.
  if (changes.name !== known.name || changes.grants !== known.grants) await moveRevision(tx);
  return { ...known, ...changes };
}

function toPerson(row: PersonRow): Person {
  return {
    id: row.id,
    issuer: row.issuer,
    subject: row.subject,
    name: row.name,
    grants: toGrants(row.grants),
    pinned: row.pinned === 1,
    disabledAt: row.disabled_at ?? undefined,
    createdAt: row.created_at,
    lastSignInAt: row.last_sign_in_at ?? undefined,
  };
}
