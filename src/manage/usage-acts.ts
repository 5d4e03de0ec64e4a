import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import { NAMES_MAX } from '../domain/names.ts';
import { USAGE_KEPT_MS, USAGE_SPANS, type UsageKey, type UsageRow, type UsageSpan } from '../domain/usage.ts';
import { type Act, type ActDeps, looking, type Scene } from './act.ts';
import { present } from './audit-filter.ts';
import { instant, personId, slug, term, text } from './fields.ts';
import { teamsNamed } from './look-up.ts';
import type { Reach } from './reach.ts';
import { type UsageFigures, UsageSum } from './usage-sum.ts';

/** What usage is told apart by in an answer. */
export const USAGE_BY = ['team', 'app', 'operation', 'outcome', 'time'] as const;

type By = (typeof USAGE_BY)[number];

/** Usage of one kind; it has the fields that were asked for by. */
export interface UsageView extends UsageFigures {
  /** ISO time: the begin of the span. */
  readonly at?: string;
  /** The slug; the id where the team is gone; null for calls of no team. */
  readonly team?: string | null;
  /** An app or a person; the name is the id where nobody knows it any more; null for calls of nobody known. */
  readonly caller?: { readonly id: string; readonly name: string } | null;
  /** Null where a call was for none. */
  readonly operation?: string | null;
  readonly outcome?: UsageKey['outcome'];
}

export interface UsageAnswer {
  /** The spans that were added up. */
  readonly span: UsageSpan;
  /** ISO times; the first is the begin of a span. */
  readonly since: string;
  readonly until: string;
  /** By time, then the most calls first. */
  readonly data: readonly UsageView[];
}

export interface UsageActs {
  /** `{since?, until?, span?, team?, app?, person?, operation?, by?}`: since a day ago, by app, where not given. */
  'usage.query': Act<UsageAnswer>;
}

const DAY_MS = 86_400_000;
/** The shortest spans of which a time is not more than some hundred, while they are kept. */
const SPAN_OF: readonly (readonly [rangeMsMax: number, UsageSpan])[] = [
  [2 * USAGE_SPANS.hour, 'minute'],
  [3 * DAY_MS, 'hour'],
];
const ROWS_MAX = 5_000;

export function usageActs(deps: ActDeps): UsageActs {
  const { store, clock } = deps;
  const time = instant(() => clock.epochMs());
  const spans = Object.keys(USAGE_SPANS) as [UsageSpan, ...UsageSpan[]];
  return {
    'usage.query': looking(
      deps,
      {
        name: 'usage.query',
        need: 'usage',
        input: z.strictObject({
          since: time.optional(),
          until: time.optional(),
          span: z.enum(spans, { error: `one of ${spans.join(', ')}` }).optional(),
          team: slug.optional(),
          app: slug.optional(),
          person: personId.optional(),
          operation: term.optional(),
          by: byFields.default('app'),
        }),
      },
      async (asked, scene) => {
        const until = asked.until ?? clock.epochMs();
        const from = asked.since ?? until - DAY_MS;
        if (from >= until) throw new GatewayError('invalid_request', 'expected "since" to be before "until"');
        const keptMs = clock.epochMs() - from;
        const span = asked.span ?? spanOf(until - from, keptMs);
        if (keptMs > USAGE_KEPT_MS[span]) throw notKept(span);
        const since = from - (from % USAGE_SPANS[span]);
        const by = new Set(asked.by.split(',') as By[]);
        const teamIds = await teamIdsOf(scene, asked.team);
        const callerIds = await callerIdsOf(scene.reach, asked);
        const [callerId] = callerIds ?? [];
        const rows =
          callerIds?.length === 0
            ? []
            : await store.usage.rows(
                span,
                { since, until },
                present({ teamIds, callerId, operation: asked.operation }),
              );
        const sums = summed(rows, by);
        const names = await namesOf(scene.reach, by, [...sums.values()]);
        const data = [...sums.values()].map(({ row, sum }) => ({ ...labels(row, by, names), ...sum.figures() }));
        return {
          details: { by: asked.by, span, rows: data.length },
          answer: {
            span,
            since: new Date(since).toISOString(),
            until: new Date(until).toISOString(),
            data: data.sort((a, b) => (a.at ?? '').localeCompare(b.at ?? '') || b.calls - a.calls),
          },
        };
      },
    ),
  };
}

function spanOf(rangeMs: number, keptMs: number): UsageSpan {
  return SPAN_OF.find(([rangeMsMax, span]) => rangeMs <= rangeMsMax && keptMs <= USAGE_KEPT_MS[span])?.[1] ?? 'day';
}

/** No answer would read as if there had been no calls. */
function notKept(span: UsageSpan): GatewayError {
  const days = USAGE_KEPT_MS[span] / DAY_MS;
  return new GatewayError(
    'invalid_request',
    `since: usage by ${span} is kept for ${days} days: expected a later time, or a longer span`,
  );
}

const byFields = text(
  `some of ${USAGE_BY.join(', ')}, with commas`,
  (value) => value.length < 64 && value.split(',').every((each) => USAGE_BY.some((one) => one === each)),
);

/** Undefined for whoever sees everything and asks for it: then usage of no team is among it. */
async function teamIdsOf({ by, reach }: Scene, team: string | undefined): Promise<string[] | undefined> {
  const { operates, audits } = by.authority;
  if (team === undefined && (operates || audits === 'all')) return undefined;
  return (await teamsNamed(reach, team)).map(({ id }) => id);
}

/** Undefined: of anybody; at most one. An app is named within its team. */
async function callerIdsOf(
  reach: Reach,
  { team, app, person }: { team?: string | undefined; app?: string | undefined; person?: string | undefined },
): Promise<readonly string[] | undefined> {
  if (app === undefined) return person === undefined ? undefined : [person];
  if (person !== undefined) throw new GatewayError('invalid_request', 'app, person: expected one of them, got both');
  const teams = await teamsNamed(reach, team);
  const apps = await Promise.all(teams.map(({ id }) => reach.store.apps.findByName(id, app)));
  const ids = apps.filter((found) => found !== undefined).map(({ id }) => id);
  if (ids.length > 1) {
    throw new GatewayError('invalid_request', `app: several teams have an app ${app}: expected "team" with it`);
  }
  return ids;
}

interface Summed {
  readonly row: UsageRow;
  readonly sum: UsageSum;
}

const PARTS: Readonly<Record<By, (row: UsageRow) => string | number>> = {
  time: ({ at }) => at,
  team: ({ teamId }) => teamId,
  app: ({ callerId }) => callerId,
  operation: ({ operation }) => operation,
  outcome: ({ outcome }) => outcome,
};

/** @throws GatewayError `invalid_request` when it would be too much */
function summed(rows: readonly UsageRow[], by: ReadonlySet<By>): Map<string, Summed> {
  const sums = new Map<string, Summed>();
  // Tens of thousands of rows: only what is asked for by stands in a key.
  // An app is one team's; what a person does for two teams stays apart where teams are asked for.
  const parts = USAGE_BY.filter((part) => by.has(part)).map((part) => PARTS[part]);
  for (const row of rows) {
    const key = parts.map((part) => part(row)).join(' ');
    sums.getOrInsertComputed(key, () => ({ row, sum: new UsageSum() })).sum.add(row);
    if (sums.size > ROWS_MAX) {
      throw new GatewayError(
        'invalid_request',
        `expected at most ${ROWS_MAX} rows: ask for a shorter time, a longer span, or by less`,
      );
    }
  }
  return sums;
}

function labels(
  row: UsageRow,
  by: ReadonlySet<By>,
  names: ReadonlyMap<string, string>,
): Omit<UsageView, keyof UsageFigures> {
  const { at, teamId, callerId, operation, outcome } = row;
  return {
    ...(by.has('time') ? { at: new Date(at).toISOString() } : {}),
    ...(by.has('team') ? { team: names.get(teamId) ?? (teamId || null) } : {}),
    ...(by.has('app')
      ? { caller: callerId === '' ? null : { id: callerId, name: names.get(callerId) ?? callerId } }
      : {}),
    ...(by.has('operation') ? { operation: operation || null } : {}),
    ...(by.has('outcome') ? { outcome } : {}),
  };
}

/** What teams, apps and people are called now. */
async function namesOf(
  { store }: Reach,
  by: ReadonlySet<By>,
  sums: readonly Summed[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  const teamIds = new Set(sums.map(({ row }) => row.teamId).filter(Boolean));
  if (by.has('team')) {
    for (const { id, slug: name } of await store.teams.list()) if (teamIds.has(id)) names.set(id, name);
  }
  if (by.has('app')) {
    for (const teamId of teamIds) {
      for (const { id, name } of await store.apps.listByTeam(teamId)) names.set(id, name);
    }
    const people = [...new Set(sums.map(({ row }) => row.callerId))].filter((id) => id.startsWith('per_'));
    for (let at = 0; at < people.length; at += NAMES_MAX) {
      for (const [id, name] of await store.names.get(people.slice(at, at + NAMES_MAX))) names.set(id, name);
    }
  }
  return names;
}
