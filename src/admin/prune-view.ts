import { z } from 'zod';
import { VIEWS } from './views.ts';

/* As in `views.ts`: what goes from the record. */

const count = z.int().min(0);

export const pruneView = z
  .strictObject({
    data: z.array(
      z.strictObject({
        chain: z.string(),
        firstSeq: count,
        lastSeq: count,
        taken: z.enum(['events', 'bytes']).describe('Bytes: digests stay.'),
        events: count,
      }),
    ),
    heldBack: z.array(z.string()).describe('Why some of what should go does not.'),
    bytes: count,
    bytesAfter: count.nullable().describe('Null: nothing went yet.'),
  })
  .register(VIEWS, { id: 'Pruned' });
