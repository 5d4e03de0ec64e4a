import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { probeKey } from './call/probe-key.ts';
import type { Config } from './config/config.ts';
import { databaseSettings } from './config/database-settings.ts';
import { type RedisAddress, redisAddress } from './config/redis-settings.ts';
import { systemClock } from './domain/clock.ts';
import type { MasonKey, OpenedKey } from './domain/mason-key.ts';
import type { Secret } from './domain/secret.ts';
import type { SinkHealth } from './domain/sink.ts';
import type { OpenStreams } from './domain/stream.ts';
import { type LaneRoom, openLaneRoom } from './lane-room.ts';
import { type Acts, createActs } from './manage/acts.ts';
import type { EndSessions } from './manage/end-sessions.ts';
import { covers, isKnownScope } from './mason/scopes.ts';
import { Mason } from './mason/send.ts';
import { openRecordRoom, type RecordRoom } from './record-room.ts';
import type { RedisClient } from './redis/redis-client.ts';
import { redisSessions } from './redis/redis-sessions.ts';
import { openStore, type Store } from './store/open-store.ts';
import { checkMasterKey, wasSealed } from './vault/check-master-key.ts';
import { createMasterKey, readMasterKey } from './vault/master-key-file.ts';
import { openVault, type Vault } from './vault/open-vault.ts';

/** What the simulator's keys are bound to: whatever its port is, and never the real Mason. */
const SIMULATED_ORIGIN = 'simulator';

/** How long after a rotation a call may fall back on the key before: a day finds a key that was pasted wrongly. */
const FALL_BACK_MS = 86_400_000;

/** The rooms below the doors: enough for every administrative act. */
export interface Core extends AsyncDisposable, LaneRoom, Omit<RecordRoom, 'signer'> {
  readonly store: Store;
  readonly vault: Vault;
  readonly mason: Mason;
  /** Undefined: this gateway is alone. */
  readonly redis: RedisClient | undefined;
  readonly acts: Acts;
  openKey(key: MasonKey): Promise<OpenedKey | undefined>;
  /** What the acts need of the doors, once there are some. */
  readonly doors: {
    endSessions: EndSessions;
    streams: OpenStreams;
    sinks: () => readonly SinkHealth[];
    publicAddress: string | undefined;
  };
}

export interface CoreOptions {
  /** Where Mason is: the configured origin, or the simulator's address. */
  readonly masonUrl: string;
  readonly log: Logger;
}

/**
 * Opens the rooms below the doors.
 *
 * @throws Error with one clear line: a directory that cannot be written, a wrong master key
 */
export async function openCore(config: Config, { masonUrl, log }: CoreOptions): Promise<Core> {
  await using stack = new AsyncDisposableStack();
  const { dataDir } = config.gateway;
  makeDataDirectory(dataDir);
  const address = redisAddress(config.redis);
  const redis = address && stack.use(await openRedis(address, log));
  const server = databaseSettings(config.database);
  const ownStore = stack.use(
    await openStore(server === undefined ? { file: join(dataDir, 'gateway.db') } : { kind: 'postgres', server }),
  );
  // Several gateways have one list of sessions; everything else is in the store that they share.
  const store: Store = redis === undefined ? ownStore : { ...ownStore, sessions: redisSessions(redis) };
  const { file, allowSharedMode } = config.masterKey;
  const isFirstStart = !existsSync(file) && !(await wasSealed(store.settings));
  const masterKey = isFirstStart ? createMasterKey(file) : readMasterKey(file, { allowSharedMode });
  const vault = openVault({ masterKey });
  await checkMasterKey(vault, store.settings);
  const { signer, record, life, retention } = await openRecordRoom(stack, config, { store, vault, server, log });
  const mason = stack.use(new Mason({ ...config.mason, origin: masonUrl }));
  const { lanes, laneOf, followBudget } = await openLaneRoom(stack, config, { store, redis, log });
  const masonOrigin = config.mason.origin ?? SIMULATED_ORIGIN;
  // Without a door nobody has a call under way that would have to end too.
  const doors: Core['doors'] = {
    endSessions: async (which) => (await store.sessions.end(which)).length,
    streams: { list: () => [], end: () => false },
    sinks: () => [],
    publicAddress: config.listen.publicUrl,
  };
  const acts = createActs({
    store,
    vault,
    record,
    exported: (asked) => record.exported(asked),
    signer,
    retention,
    clock: systemClock,
    scopes: { covers, known: isKnownScope },
    masonOrigin,
    probe: async (key) => probeKey({ mason, clock: systemClock }, await laneOf(key), key),
    endSessions: (which, reason) => doors.endSessions(which, reason),
    streams: () => doors.streams,
    sinks: () => doors.sinks(),
    publicAddress: () => doors.publicAddress,
    assumedLimit: lanes.firstLimit,
    learnsLimits: lanes.learns,
    paceOf: (budgetId) => lanes.paceOf(budgetId),
  });
  const rest = stack.move();
  return {
    store,
    vault,
    record,
    life,
    mason,
    lanes,
    redis,
    acts,
    retention,
    laneOf,
    followBudget,
    doors,
    openKey: async (key) => (key.origin === masonOrigin ? opened(store, vault, key) : undefined),
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  };
}

/** A gateway that is alone does without the client's code, which is megabytes. */
async function openRedis(settings: RedisAddress, log: Logger): Promise<RedisClient> {
  const { RedisClient } = await import('./redis/redis-client.ts');
  return new RedisClient({
    settings,
    clock: systemClock,
    onProblem: (problem) => log.warn({ room: 'redis' }, problem),
  });
}

async function opened(store: Store, vault: Vault, key: MasonKey): Promise<OpenedKey | undefined> {
  const team = await store.teams.findById(key.teamId);
  if (team === undefined) return undefined;
  const binding = { teamId: key.teamId, keyId: key.id, origin: key.origin };
  const open = (sealed: Uint8Array): Secret => vault.open(binding, sealed, team.sealedDataKey);
  const { previous } = key;
  const fallsBack = previous !== undefined && systemClock.epochMs() - previous.replacedAt < FALL_BACK_MS;
  return {
    ...key,
    secret: open(key.sealed),
    previous: fallsBack ? { fingerprint: previous.fingerprint, secret: open(previous.sealed) } : undefined,
  };
}

/** @throws Error with one clear line */
export function makeDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`GATEWAY_DATA_DIR: cannot make the directory ${dataDir}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
