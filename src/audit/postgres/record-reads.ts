import type { ClientBase, Pool } from 'pg';
import { recordUnreadable } from '../record-page.ts';

/**
 * Reads with a small pool, each within one snapshot of the database.
 *
 * The planner is told what it cannot know: rows of a week are looked up by the index that a question is made for, in its order,
 * until there are enough. What it believes about the frequency of a name is often hours old, and when it believes that a
 * name is rare, it reads and sorts all events of it. Compiling a plan (`jit`) takes longer than any of them.
 */
const BEGIN = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL jit = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off;
  SET LOCAL enable_mergejoin = off`;

/** @throws GatewayError `store_unavailable`; what `question` throws of ours */
export async function readRecord<T>(pool: Pool, question: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw recordUnreadable(error);
  });
  let isWell = false;
  try {
    await client.query(BEGIN);
    const answer = await question(client);
    await client.query('COMMIT');
    isWell = true;
    return answer;
  } catch (error) {
    throw recordUnreadable(error);
  } finally {
    // What became of it is not worth finding out; connections are cheap, and it is rare.
    client.release(!isWell);
  }
}
