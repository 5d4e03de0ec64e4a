import { z } from 'zod';
import { VIEWS } from './views.ts';

/* As in `views.ts`: X-Ray sessions. */

const bytes = z.int().min(0);

export const streamView = z
  .strictObject({
    id: z.string().describe('The Request-Id of the call that opened it.'),
    team: z.string(),
    operation: z.string(),
    device: z.string(),
    holder: z.string().describe('The app or the person.'),
    address: z.string(),
    openedAt: z.iso.datetime(),
    bytesIn: bytes,
    bytesOut: bytes,
  })
  .register(VIEWS, { id: 'Stream' });

export const streamList = z.strictObject({ data: z.array(streamView) }).register(VIEWS, { id: 'StreamList' });

export const endedStream = z.strictObject({ ended: z.string() }).register(VIEWS, { id: 'EndedStream' });
