import fc from 'fast-check';
import type { Actor, OutcomeEvent } from '../../src/domain/event.ts';
import type { RecordFilter } from '../../src/domain/record.ts';
import { sampleOutcome } from './sample-events.ts';

export const AT = 1_790_000_000_000;
/** Few values, so that filters hit and instants are equal often; instants go back now and then. */
export const someEvent = fc
  .record({
    at: fc.integer({ min: AT, max: AT + 12 }),
    team: fc.constantFrom('a', 'b', undefined),
    actor: fc.constantFrom<Actor>(
      { kind: 'app', app: 'x', appId: 'id-x' },
      { kind: 'app', app: 'y', appId: 'id-y' },
      { kind: 'person', personId: 'per_1' },
      { kind: 'unknown' },
    ),
    status: fc.constantFrom(200, 404),
    effect: fc.constantFrom('read' as const, 'change' as const),
    device: fc.constantFrom(undefined, 'D1', 'D2'),
  })
  .map(({ team, device, ...fields }) =>
    sampleOutcome({
      ...fields,
      team,
      teamId: team === undefined ? undefined : `id-${team}`,
      targets: device === undefined ? [] : [{ kind: 'device', name: device }],
    }),
  );

/** At most two conditions: more would leave nothing to page through. */
export const someFilter: fc.Arbitrary<RecordFilter> = fc
  .array(
    fc.oneof(
      fc.record({ since: fc.integer({ min: AT - 1, max: AT + 13 }) }),
      fc.record({ until: fc.integer({ min: AT - 1, max: AT + 13 }) }),
      fc.record({ team: fc.constantFrom('a', 'id-b', 'c') }),
      fc.record({ teams: fc.subarray(['id-a', 'id-b', 'b', 'id-c', '']) }),
      fc.record({ person: fc.constantFrom('per_1', 'per_2', 'x') }),
      fc.record({ app: fc.constantFrom('id-x', 'y') }),
      fc.record({ status: fc.constantFrom(200, 404) }),
      fc.record({ effect: fc.constantFrom('read', 'change') }),
      fc.record({ device: fc.constantFrom('D1', 'D2') }),
    ),
    { maxLength: 2 },
  )
  .map((conditions): RecordFilter => Object.assign({}, ...conditions));

export interface Written {
  readonly at: number;
  readonly chain: string;
  readonly seq: number;
  readonly event: OutcomeEvent;
}

export function matches({ at, event }: Written, filter: RecordFilter): boolean {
  return (
    (filter.since === undefined || at >= filter.since) &&
    (filter.until === undefined || at < filter.until) &&
    (filter.team === undefined || event.team === filter.team || event.teamId === filter.team) &&
    (filter.teams === undefined || (event.teamId !== undefined && filter.teams.includes(event.teamId))) &&
    (filter.person === undefined || event.actor.personId === filter.person) &&
    (filter.app === undefined || event.actor.app === filter.app || event.actor.appId === filter.app) &&
    (filter.status === undefined || event.status === filter.status) &&
    (filter.effect === undefined || event.effect === filter.effect) &&
    (filter.device === undefined || event.targets?.[0]?.name === filter.device)
  );
}

/** Batches, each with the number of the run that writes it. */
export const someBatches = fc.array(fc.tuple(fc.nat(5), fc.array(someEvent, { minLength: 1, maxLength: 4 })), {
  maxLength: 14,
});
