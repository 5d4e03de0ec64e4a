import { z } from 'zod';
import { VIEWS } from './views.ts';

const sinkView = z.strictObject({
  id: z.string(),
  kind: z.enum(['file', 'webhook', 'stdout']),
  format: z.string(),
  lagEvents: z.number().describe('Events on record that it has not delivered.'),
  lagSeconds: z.number().describe('Seconds since it had delivered all there was.'),
  problem: z.string().optional().describe('Why it cannot deliver now; absent when all is well.'),
  chain: z.string().optional().describe('What it delivered last.'),
  seq: z.number().optional(),
});

export const sinkList = z.strictObject({ data: z.array(sinkView) }).register(VIEWS, { id: 'SinkList' });
