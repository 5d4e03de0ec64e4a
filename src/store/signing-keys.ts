import type { KeptSigningKey, SigningKeys } from '../domain/checkpoint.ts';
import { read, write } from './access.ts';
import type { Database, SigningKeyRow } from './schema.ts';

export function storedSigningKeys(database: Database): SigningKeys {
  return {
    async list() {
      const rows = await read(database, (db) => db.selectFrom('signing_keys').selectAll().orderBy('n').execute());
      return rows.map(toKey);
    },

    async add(key) {
      return await write(
        database,
        async (tx) => {
          const newest = await tx
            .selectFrom('signing_keys')
            .select(['n', 'id'])
            .orderBy('n', 'desc')
            .limit(1)
            .executeTakeFirst();
          if (newest?.id !== key.signedBy?.keyId) return false;
          await tx
            .insertInto('signing_keys')
            .values(toRow(key, (newest?.n ?? 0) + 1))
            .execute();
          return true;
        },
        { duplicate: `there is a signing key ${key.id} already` },
      );
    },
  };
}

function toRow(key: KeptSigningKey, n: number): SigningKeyRow {
  return {
    n,
    id: key.id,
    public_key: key.publicKey,
    sealed: key.sealed,
    created_at: key.createdAt,
    signed_by: key.signedBy?.keyId ?? null,
    signature: key.signedBy?.signature ?? null,
  };
}

function toKey(row: SigningKeyRow): KeptSigningKey {
  const { signed_by: keyId, signature } = row;
  return {
    id: row.id,
    publicKey: row.public_key,
    sealed: row.sealed,
    createdAt: row.created_at,
    ...(keyId === null || signature === null ? {} : { signedBy: { keyId, signature } }),
  };
}
