import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import type { Actor, StoredEvent } from '../domain/event.ts';
import type { AuditRecord, RecordFilter } from '../domain/record.ts';
import { type Act, type ActDeps, looking } from './act.ts';
import { filterFields, filterOf, present, visibleTo } from './audit-filter.ts';
import { term, wholeNumber, yesOrNo } from './fields.ts';
import { withNames } from './with-names.ts';

/** Events, newest first. */
export interface EventPage {
  readonly data: readonly StoredEvent[];
  /** Opaque; gives the next older page as `after`. Absent on the last. */
  readonly nextPage?: string;
  /** Opaque; gives what came since as `before`. */
  readonly prevPage?: string;
}

export interface AuditActs {
  /**
   * `{since?, until?, team?, app?, tokenId?, tokenSha256?, person?, operation?, effect?, device?, group?, status?, errorSource?,
   * keyFingerprint?, requestId?, kind?, limit?, after?, before?, follow?}`.
   * Reading the record is itself on record; with `follow`, for those who ask again and again for what just came, once a minute.
   */
  'audit.query': Act<EventPage>;
  /** `{requestId}`: all events of one call, oldest first. */
  'audit.show': Act<{ data: readonly StoredEvent[] }>;
}

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
const FOLLOW_MS = 60_000;
const FOLLOWERS_MAX = 256;
/** What a follower who was noted a minute ago may see for the first time. */
const FRESH_MS = 2 * FOLLOW_MS;

export function auditActs(deps: ActDeps & { record: Pick<AuditRecord, 'append' | 'intend' | 'query'> }): AuditActs {
  const { record, clock, store } = deps;
  const notedAt = new Map<string, number>();

  /** Whether this reader's looking for this is on record since less than a minute. */
  const isNoted = (by: Actor, filter: RecordFilter): boolean => {
    const reader = JSON.stringify([by, filter]);
    const now = clock.now();
    const last = notedAt.get(reader);
    if (last !== undefined && now - last < FOLLOW_MS) return true;
    if (notedAt.size >= FOLLOWERS_MAX) notedAt.clear();
    notedAt.set(reader, now);
    return false;
  };

  /** What is older nobody follows: it is read, page by page perhaps, and that is on record each time. */
  const isFresh = ({ event }: StoredEvent): boolean => Number(event['at']) > clock.epochMs() - FRESH_MS;

  return {
    'audit.query': looking(
      deps,
      {
        name: 'audit.query',
        need: 'audit',
        input: z.strictObject({
          ...filterFields(clock),
          limit: wholeNumber(1, PAGE_MAX).default(PAGE_DEFAULT),
          after: z.string({ error: 'a page key' }).max(16_384, { error: 'a page key' }).optional(),
          before: z.string({ error: 'a page key' }).max(16_384, { error: 'a page key' }).optional(),
          follow: yesOrNo.default(false),
        }),
      },
      async ({ limit, after, before, follow, ...given }, scene) => {
        const { by } = scene;
        const filter = await filterOf(given, scene);
        const page = await record.query(filter, { limit, ...present({ after, before }) });
        return {
          details: { events: page.events.length },
          silent: follow && page.events.every(isFresh) && isNoted(by.actor, filter),
          answer: {
            data: await withNames(store.names, page.events),
            ...present({ nextPage: page.nextPage, prevPage: page.prevPage }),
          },
        };
      },
    ),

    'audit.show': looking(
      deps,
      { name: 'audit.show', need: 'audit', input: z.strictObject({ requestId: term }) },
      async ({ requestId }, { by }) => {
        const page = await record.query({ requestId, ...visibleTo(by.authority) }, { limit: PAGE_MAX });
        if (page.events.length === 0) {
          throw new GatewayError('not_found', `nothing with the request id ${requestId} is on record`);
        }
        return {
          details: { events: page.events.length },
          answer: { data: await withNames(store.names, page.events.toReversed()) },
        };
      },
    ),
  };
}
