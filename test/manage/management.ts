import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Administrator, OPERATES } from '../../src/domain/authority.ts';
import type { Signer } from '../../src/domain/checkpoint.ts';
import type { OpenedKey } from '../../src/domain/mason-key.ts';
import type { ProbedKey } from '../../src/domain/probed-key.ts';
import type { OpenStream, OpenStreams } from '../../src/domain/stream.ts';
import { type Acts, createActs } from '../../src/manage/acts.ts';
import type { Pace } from '../../src/manage/limit-acts.ts';
import { covers, isKnownScope } from '../../src/mason/scopes.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { masterKeyFrom } from '../../src/vault/master-key.ts';
import { openVault, type Vault } from '../../src/vault/open-vault.ts';
import { plainSigner } from '../audit/signed-record.ts';
import { MemoryRecord } from './memory-record.ts';

export const OPERATOR: Administrator = { actor: { kind: 'operator', account: 'ada' }, authority: OPERATES };
export const MASON = 'https://api.bymason.com';
export const START_MS = Date.parse('2026-11-23T10:00:00Z');

const NOTHING_GOES = { going: [], saidAgain: [], bytes: 0, heldBack: [] };

/** A clock that stands until it is told; who waits for it moves it. */
export class HandClock {
  ms = 0;
  now = (): number => this.ms;
  epochMs = (): number => START_MS + this.ms;
  after = (delayMs: number, callback: () => void): (() => void) => {
    const due = setImmediate(() => {
      this.ms += delayMs;
      callback();
    });
    return () => clearImmediate(due);
  };
}

/** The acts on a real store in a directory of its own, with a record in memory. */
export interface Management {
  readonly acts: Acts;
  readonly store: Store;
  readonly vault: Vault;
  readonly record: MemoryRecord;
  readonly signer: Signer;
  readonly clock: HandClock;
  readonly directory: string;
  readonly probed: OpenedKey[];
  /** What each probe finds; or by the key that is tried. */
  probeAnswer: ProbedKey | ((key: OpenedKey) => ProbedKey);
  /** Whose sessions were ended, and why. */
  readonly ended: [which: object, reason: string][];
  /** What the lane of every budget tells; undefined: there is none. */
  pace: Pace | undefined;
  /** What is open, and which of it was ended. */
  readonly streams: OpenStreams & { readonly open: OpenStream[]; readonly ended: string[] };
  close(): Promise<void>;
}

export async function openManagement(): Promise<Management> {
  const directory = await mkdtemp(join(tmpdir(), 'manage-'));
  const store = await openStore({ file: join(directory, 'gateway.db') });
  const vault = openVault({ masterKey: masterKeyFrom(randomBytes(32), 'of the test') });
  const record = new MemoryRecord();
  const clock = new HandClock();
  const probed: OpenedKey[] = [];
  const ended: [object, string][] = [];
  const open: OpenStream[] = [];
  const endedStreams: string[] = [];
  const signer = await plainSigner();
  const management: Management = {
    acts: createActs({
      store,
      vault,
      record,
      exported: (asked) => record.exported(asked),
      signer,
      retention: {
        isOn: true,
        plan: async () => NOTHING_GOES,
        prune: async () => ({ ...NOTHING_GOES, bytesAfter: 0 }),
      },
      clock,
      scopes: { covers, known: isKnownScope },
      masonOrigin: MASON,
      probe: async (key) => {
        probed.push(key);
        const { probeAnswer } = management;
        return typeof probeAnswer === 'function' ? probeAnswer(key) : probeAnswer;
      },
      publicAddress: () => undefined,
      streams: () => management.streams,
      sinks: () => [],
      endSessions: async (which, reason) => {
        ended.push([which, reason]);
        return (await store.sessions.end(which)).length;
      },
      assumedLimit: { calls: 5, windowMs: 1_000 },
      learnsLimits: true,
      paceOf: () => management.pace,
    }),
    store,
    vault,
    record,
    signer,
    clock,
    directory,
    streams: {
      open,
      ended: endedStreams,
      list: () => open,
      end: (id) => endedStreams.push(id) > 0,
    },
    probed,
    ended,
    pace: undefined,
    probeAnswer: { verdict: 'alive', status: 200, message: 'GET /v1/default/device?limit=1 answered 200' },
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
  return management;
}
