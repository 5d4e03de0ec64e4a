import { z } from 'zod';
import type { Going } from '../audit/retention/record-pruner.ts';
import type { Retention } from '../audit/retention/retention.ts';
import { GatewayError } from '../domain/errors.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';

/** What goes from the record, or went. */
export interface PruneView {
  readonly data: readonly Pick<Going, 'chain' | 'firstSeq' | 'lastSeq' | 'taken' | 'events'>[];
  /** Why some of what should go does not, in words. */
  readonly heldBack: readonly string[];
  /** What the record takes on disk; after it, null while nothing went yet. */
  readonly bytes: number;
  readonly bytesAfter: number | null;
}

export interface RetentionActs {
  /** What is older or more than `record.retention` allows. */
  'audit.prune.preview': Act<PruneView>;
  /** Takes that out of the record, for good. */
  'audit.prune': Act<PruneView>;
}

export interface RetentionDeps extends ActDeps {
  readonly retention: Pick<Retention, 'isOn' | 'plan' | 'prune'>;
}

export function retentionActs(deps: RetentionDeps): RetentionActs {
  const { retention } = deps;
  const nothing = z.strictObject({});
  return {
    'audit.prune.preview': looking(
      deps,
      { name: 'audit.prune.preview', need: 'operator', input: nothing },
      async () => {
        const plan = await retention.plan();
        return { answer: viewOf({ ...plan, bytesAfter: null }) };
      },
    ),

    'audit.prune': changing(
      deps,
      { name: 'audit.prune', need: 'operator', input: nothing },
      async (_input, { by, requestId }) => {
        if (!retention.isOn) {
          throw new GatewayError(
            'conflict',
            'the record is kept for good: "record.retention" of the configuration says nothing else',
          );
        }
        return { carryOut: async () => viewOf(await retention.prune(by.actor, requestId)) };
      },
    ),
  };
}

function viewOf({
  going,
  heldBack,
  bytes,
  bytesAfter,
}: Pick<PruneView, 'heldBack' | 'bytes' | 'bytesAfter'> & { going: readonly Going[] }): PruneView {
  const data = going.map(({ chain, firstSeq, lastSeq, taken, events }) => ({
    chain,
    firstSeq,
    lastSeq,
    taken,
    events,
  }));
  return { data, heldBack, bytes, bytesAfter };
}
