import { z } from 'zod';
import { VIEWS } from './views.ts';

/* As in `views.ts`: usage. */

const time = z.iso.datetime();
const count = z.number().min(0);
const ms = z.number().min(0).nullable();

const percentiles = z
  .strictObject({ p50: ms, p95: ms, p99: ms })
  .describe('Milliseconds, wrong by less than 5 %; null: nothing is known.')
  .register(VIEWS, { id: 'Percentiles' });

const usageView = z
  .strictObject({
    at: time.describe('Begin of the span.').exactOptional(),
    team: z.string().nullable().exactOptional(),
    caller: z.strictObject({ id: z.string(), name: z.string() }).nullable().exactOptional(),
    operation: z.string().nullable().exactOptional(),
    outcome: z.enum(['ok', 'error', 'refused', 'failed', 'unknown', 'aborted']).exactOptional(),
    calls: count,
    attempts: count,
    errors: count.describe('Calls with any outcome but ok.'),
    bytesIn: count,
    bytesOut: count,
    queueMs: percentiles,
    masonMs: percentiles,
    gatewayMs: percentiles,
  })
  .register(VIEWS, { id: 'Usage' });

export const usageAnswer = z
  .strictObject({ span: z.enum(['minute', 'hour', 'day']), since: time, until: time, data: z.array(usageView) })
  .register(VIEWS, { id: 'UsageAnswer' });
