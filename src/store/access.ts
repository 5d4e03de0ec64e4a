import type { Kysely } from 'kysely';
import { GatewayError } from '../domain/errors.ts';
import type { Change, Database, Tables } from './schema.ts';
import { isDuplicate, isOrphan, storeUnavailable } from './store-failure.ts';

/**
 * Reads.
 *
 * @throws GatewayError `store_unavailable`
 */
export async function read<T>(database: Database, query: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  try {
    return await query(database.reads);
  } catch (error) {
    throw storeUnavailable(error);
  }
}

/**
 * Changes in one transaction, together with the revision that tells other gateways of it. `act` says whether anything
 * changed; where nothing did, the revision stays.
 *
 * @param duplicate what to say when something of that name is there already
 * @throws GatewayError `conflict` for a duplicate, `not_found` when what the row belongs to is gone, else
 * `store_unavailable`; a GatewayError of `act`'s own passes.
 */
export async function change(
  database: Database,
  act: (tx: Change) => Promise<boolean>,
  duplicate = 'it exists already',
): Promise<boolean> {
  return await write(
    database,
    async (tx) => {
      const changed = await act(tx);
      if (changed)
        await tx
          .updateTable('revision')
          .set((row) => ({ value: row('value', '+', 1) }))
          .execute();
      return changed;
    },
    duplicate,
  );
}

/** Writes in one transaction what no other gateway needs to hear of at once. Throws as {@link change} does. */
export async function write<T>(
  database: Database,
  act: (tx: Change) => Promise<T>,
  duplicate = 'it exists already',
): Promise<T> {
  try {
    return await database.writes.transaction().execute(act);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (isDuplicate(error)) throw new GatewayError('conflict', duplicate, { cause: error });
    if (isOrphan(error)) {
      throw new GatewayError('not_found', 'what it belongs to was removed meanwhile: nothing was changed', {
        cause: error,
      });
    }
    throw storeUnavailable(error);
  }
}
