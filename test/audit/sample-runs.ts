import type { SignedCheckpoint, Signer } from '../../src/domain/checkpoint.ts';
import type { RecordEvent } from '../../src/domain/event.ts';
import { sampleAct, sampleIntent, sampleOutcome } from './sample-events.ts';
import { writeRun } from './signed-record.ts';

export const RUNS_AT = 1_790_000_000_000;

export interface WrittenRun {
  readonly chain: string;
  readonly checkpoints: readonly SignedCheckpoint[];
}

/**
 * A record as three runs of two gateways leave it: some 150 events of every kind, in batches of 1 to 7, in segments of 20, the
 * first run killed, the second of another gateway, which saw the first.
 */
export function sampleRuns(directory: string, signer: Signer): readonly [WrittenRun, WrittenRun, WrittenRun] {
  const first = writeRun(directory, signer, {
    startedAt: RUNS_AT,
    batches: sampleBatches(1),
    segmentEventsMax: 20,
    isKilled: true,
  });
  const other = writeRun(directory, signer, {
    gatewayId: 'gw-2',
    startedAt: RUNS_AT + 1_000,
    batches: sampleBatches(2),
    segmentEventsMax: 20,
    seen: first.checkpoints.slice(-1),
  });
  const second = writeRun(directory, signer, {
    startedAt: RUNS_AT + 2_000,
    batches: sampleBatches(3),
    segmentEventsMax: 20,
  });
  return [first, other, second];
}

function sampleBatches(seed: number): RecordEvent[][] {
  return Array.from({ length: 12 }, (_, batch) =>
    Array.from({ length: 1 + ((batch * seed) % 7) }, (_, place) => sampleEvent(seed, batch * 10 + place)),
  );
}

function sampleEvent(seed: number, n: number): RecordEvent {
  const common = { requestId: `request-${seed}-${n}`, at: RUNS_AT + n * 10 };
  const actor = { kind: 'person' as const, personId: 'per_1', sessionId: 'ses_1' };
  switch (n % 5) {
    case 0:
      return sampleIntent({ ...common, targets: targets(n) });
    case 1:
      return sampleOutcome({ ...common, teamId: 'team_2', team: 'shop', errorSource: 'mason', status: 404 });
    case 2:
      return sampleAct(common);
    case 3:
      return sampleOutcome({
        ...common,
        kind: 'refused',
        result: 'not_sent',
        actor,
        keyFingerprint: 'beef',
        status: 403,
      });
    default:
      return sampleOutcome(common);
  }
}

function targets(n: number): { kind: 'device' | 'group'; name: string }[] {
  return Array.from({ length: 1 + (n % 3) }, (_, place) => ({
    kind: place === 0 ? ('device' as const) : ('group' as const),
    name: `SERIAL-${n}-${place}`,
  }));
}
