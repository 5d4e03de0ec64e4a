import { z } from 'zod';
import { VIEWS } from './views.ts';

/* As in `views.ts`: the limits in force. */

const count = z.int().min(0);
const known = z.enum(['given', 'stated', 'learnt', 'assumed']);
const moment = z.iso.datetime().nullable();

export const limitView = z
  .strictObject({
    budget: z.string(),
    limit: z.string(),
    known: known.describe(
      'given: by somebody here; stated: by Mason; learnt: from refusals; assumed: nothing is known.',
    ),
    mode: z.enum(['searching', 'holding', 'probing', 'waiting', 'stated']).nullable(),
    levels: z.array(
      z.strictObject({ limit: z.string(), known, takenBefore: count.nullable() }).register(VIEWS, { id: 'LimitLevel' }),
    ),
    refusals: z.array(
      z
        .strictObject({ at: z.iso.datetime(), askedMs: count.nullable(), window: z.string(), taken: count })
        .register(VIEWS, { id: 'RateRefusal' }),
    ),
    refusalsSeen: count,
    probesAt: moment,
    waitsUntil: moment,
    spreadMs: z
      .number()
      .min(0)
      .nullable()
      .describe('Of the way to Mason, in force; null: it is measured, and no lane runs here.'),
    spreadKnown: z.enum(['given', 'measured']),
  })
  .register(VIEWS, { id: 'Limit' });

export const forgottenLimit = z.strictObject({ forgotten: z.string() }).register(VIEWS, { id: 'ForgottenLimit' });

export const limitList = z.strictObject({ data: z.array(limitView) }).register(VIEWS, { id: 'LimitList' });
