import type { Kysely } from 'kysely';
import { GatewayError } from '../domain/errors.ts';
import { promptly } from './promptly.ts';
import type { Change, Database, Tables } from './schema.ts';
import { isDuplicate, isOrphan, storeUnavailable } from './store-failure.ts';

/**
 * Reads; gives up within a second.
 *
 * @throws GatewayError `store_unavailable`
 */
export async function read<T>(database: Database, query: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  try {
    return await promptly((begin) =>
      database.reads.connection().execute((connection) => {
        begin();
        return query(connection);
      }),
    );
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
  duplicate?: string,
): Promise<boolean> {
  return await write(
    database,
    async (tx) => {
      const changed = await act(tx);
      if (changed) await moveRevision(tx);
      return changed;
    },
    { duplicate },
  );
}

/** Tells other gateways that something changed that decides about calls. */
export async function moveRevision(tx: Change): Promise<void> {
  await tx
    .updateTable('revision')
    .set((row) => ({ value: row('value', '+', 1) }))
    .execute();
}

export interface WriteOptions {
  /** What to say when something of that name is there already. */
  readonly duplicate?: string | undefined;
  /** Gives up within a second; else waits as long as the store's `busyMsMax`, once its turn has come. */
  readonly promptly?: boolean;
}

/** Writes in one transaction what no other gateway needs to hear of at once. Throws as {@link change} does. */
export async function write<T>(
  database: Database,
  act: (tx: Change) => Promise<T>,
  { duplicate = 'it exists already', promptly: isPrompt = false }: WriteOptions = {},
): Promise<T> {
  try {
    if (!isPrompt) return await database.writes.transaction().execute(act);
    return await promptly((begin) =>
      database.writes.connection().execute(async (connection) => {
        // Before the lock is asked for, so that those who gave up do not make others wait; and when it was got.
        begin();
        return await connection.transaction().execute((tx) => {
          begin();
          return act(tx);
        });
      }),
    );
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
