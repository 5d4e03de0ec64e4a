import { canonicalJson } from '../../src/audit/canonical-json.ts';
import { chainName } from '../../src/audit/chain.ts';
import { eventLine } from '../../src/audit/event-line.ts';
import { stopLine } from '../../src/audit/gateway-events.ts';
import { openSigner } from '../../src/audit/open-signer.ts';
import { type RunState, RunWriter } from '../../src/audit/segments/run-writer.ts';
import type { KeptSigningKey, SignedCheckpoint, Signer, SigningKeys } from '../../src/domain/checkpoint.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { RecordEvent } from '../../src/domain/event.ts';

/** As the store keeps them, in memory. */
export function keptInMemory(): SigningKeys {
  const keys: KeptSigningKey[] = [];
  return {
    list: async () => [...keys],
    async add(key) {
      if (key.signedBy?.keyId !== keys.at(-1)?.id) return false;
      keys.push(key);
      return true;
    },
  };
}

/** A signer whose keys nobody seals. */
export async function plainSigner(keys = keptInMemory()): Promise<Signer> {
  return await openSigner({
    keys,
    clock: systemClock,
    seal: (_id, key) => Buffer.from(key),
    open: (_id, sealed) => Buffer.from(sealed),
  });
}

export interface RunPlan {
  readonly gatewayId?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly batches: readonly (readonly RecordEvent[])[];
  readonly segmentEventsMax?: number;
  /** After how many batches a checkpoint is signed each; 2 where not given. */
  readonly checkpointEach?: number;
  /** Checkpoints of others, as this run saw them. */
  readonly seen?: readonly SignedCheckpoint[];
  readonly isKilled?: boolean;
}

/** Writes a run, as a gateway does, and answers its chain and its checkpoints. */
export function writeRun(
  directory: string,
  signer: Signer,
  plan: RunPlan,
): { chain: string; checkpoints: SignedCheckpoint[] } {
  const { gatewayId = 'gw-1', startedAt, batches, segmentEventsMax = 1e9, checkpointEach = 2, seen = [] } = plan;
  const writer = new RunWriter({
    directory,
    gatewayId,
    startedAt,
    segmentEventsMax,
    segmentAgeMsMax: 1e9,
    busyMsMax: 1_000,
    resume: undefined,
  });
  const checkpoints: SignedCheckpoint[] = [];
  const write = (batch: number, text: string): RunState => {
    const state = writer.write(batch, text);
    if (batch % checkpointEach === 0) {
      const checkpoint = checkpointOf(signer, gatewayId, state, startedAt + batch, seen);
      writer.keep(state.head.seq, checkpoint);
      checkpoints.push(checkpoint);
    }
    writer.rest();
    return state;
  };
  let { run } = writer.write(0, '');
  batches.forEach((events, place) => {
    ({ run } = write(place + 1, events.map(eventLine).join('')));
  });
  if (plan.isKilled !== true)
    write((Math.floor(batches.length / checkpointEach) + 1) * checkpointEach, stopLine(startedAt));
  writer.close();
  return { chain: chainName(gatewayId, run), checkpoints };
}

function checkpointOf(
  signer: Signer,
  gatewayId: string,
  { run, head }: RunState,
  at: number,
  seen: readonly SignedCheckpoint[],
): SignedCheckpoint {
  const text = canonicalJson({
    v: 1,
    chain: chainName(gatewayId, run),
    seq: head.seq,
    batch: head.batch,
    link: Buffer.from(head.link).toString('hex'),
    at,
    seen: seen.map(({ text: other }) => JSON.parse(other)).map(({ chain, seq, link }) => ({ chain, seq, link })),
  });
  return { text, ...signer.sign(text) };
}
