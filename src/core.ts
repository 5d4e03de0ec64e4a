import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openRecord } from './audit/open-record.ts';
import { openSigner } from './audit/open-signer.ts';
import { Retention } from './audit/retention/retention.ts';
import { RunLife } from './audit/run-life.ts';
import { undelivered } from './audit/sinks/undelivered.ts';
import { UsageCounter } from './audit/usage-counter.ts';
import { probeKey } from './call/probe-key.ts';
import type { Config } from './config/config.ts';
import { databaseSettings } from './config/database-settings.ts';
import { type RedisAddress, redisAddress } from './config/redis-settings.ts';
import { type Budget, formatRateLimit } from './domain/budget.ts';
import { systemClock } from './domain/clock.ts';
import { GatewayError } from './domain/errors.ts';
import type { Lane } from './domain/lane.ts';
import type { MasonKey, OpenedKey } from './domain/mason-key.ts';
import type { Secret } from './domain/secret.ts';
import type { SinkHealth } from './domain/sink.ts';
import type { OpenStreams } from './domain/stream.ts';
import { Lanes } from './lane/lanes.ts';
import { LimitKeeper } from './lane/learning/limit-keeper.ts';
import { loadEngine } from './lane/load-engine.ts';
import { type Acts, createActs } from './manage/acts.ts';
import type { EndSessions } from './manage/end-sessions.ts';
import { covers, isKnownScope } from './mason/scopes.ts';
import { Mason } from './mason/send.ts';
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
export interface Core extends AsyncDisposable {
  readonly store: Store;
  readonly vault: Vault;
  readonly record: Awaited<ReturnType<typeof openRecord>>;
  /** The run of this process. */
  readonly life: RunLife;
  readonly mason: Mason;
  readonly lanes: Lanes;
  /** Undefined: this gateway is alone. */
  readonly redis: RedisClient | undefined;
  readonly acts: Acts;
  /** Prunes by itself once it is started. */
  readonly retention: Retention;
  openKey(key: MasonKey): Promise<OpenedKey | undefined>;
  laneOf(key: Pick<OpenedKey, 'budgetId'>): Lane | Promise<Lane>;
  /** After a change in the store: the lane follows what the budget is now, and what others have learnt of it. */
  followBudget(budget: Budget): Promise<Lane>;
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
  const { dataDir, id: gatewayId } = config.gateway;
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
  const signer = await openSigner({
    keys: store.signingKeys,
    clock: systemClock,
    seal: (keyId, privateKey) => vault.sealFor('signing', keyId, privateKey),
    open: (keyId, sealed) => vault.openFor('signing', keyId, sealed),
  });
  const counter = new UsageCounter(store.usage);
  const record = await openRecord({
    ...config.record,
    directory: join(dataDir, 'audit'),
    database: server,
    gatewayId,
    clock: systemClock,
    signer,
    // Kept apart from the record, these lines are its witnesses.
    onCheckpoint: (checkpoint) => log.info({ checkpoint }, 'checkpoint'),
    onProblem: (problem) => log.error({ room: 'record' }, problem),
    onUsage: (chain, batch, usage) => counter.hear(chain, batch, usage),
  });
  const life = new RunLife({
    gatewayId,
    clock: systemClock,
    record,
    counter,
    usage: store.usage,
    runs: store.runs,
    onClosed: (chain, unknown) => log.warn({ chain, unknown }, 'a run had died: what it left open is closed'),
    onProblem: (problem) => log.warn({ room: 'record' }, problem),
  });
  stack.defer(() => life.end());
  stack.defer(() => record.close());
  stack.defer(() => life.stop());
  await life.begin();
  const retention = new Retention({
    policy: config.record.retention,
    pruner: record.pruner,
    record,
    positions: store.positions,
    clock: systemClock,
    undelivered: () =>
      undelivered(
        config.sinks.map(({ id }) => id),
        record.archive,
        store.positions,
      ),
    onPruned: (words) => log.info({ room: 'record' }, words),
    onProblem: (problem) => log.warn({ room: 'record' }, problem),
  });
  stack.defer(() => retention.close());
  const mason = stack.use(new Mason({ ...config.mason, origin: masonUrl }));
  const learners = stack.use(
    new LimitKeeper(store.learnedLimits, systemClock, {
      gatewayId,
      pauseMsMax: config.lane.pauseMsMax,
      onProblem: (error) => log.warn({ err: error }, 'what was learnt of a limit could not be kept'),
    }),
  );
  const shared = redis && { client: redis, gatewayId };
  const engine = await loadEngine(config.lane.engine);
  const lanes = new Lanes({ ...config.lane, engine, clock: systemClock, learners, redis: shared });
  stack.defer(() => lanes.close());
  const masonOrigin = config.mason.origin ?? SIMULATED_ORIGIN;
  const makeLane = async (budgetId: string): Promise<Lane> => {
    const budget = await store.budgets.findById(budgetId);
    if (budget === undefined) throw new GatewayError('store_unavailable', 'the budget of the key is not in the store');
    if (budget.limit === undefined) {
      const limit = formatRateLimit(lanes.firstLimit);
      const said = lanes.learns ? `it is learnt, from ${limit} on (limit show)` : `${limit} is assumed until one is`;
      log.warn({ budget: budget.name }, `no limit was given: ${said} (key set --limit)`);
    }
    return await followBudget(budget);
  };
  const followBudget = async (budget: Budget): Promise<Lane> => {
    if (budget.limit === undefined && lanes.learns) await learners.look(budget.id);
    return lanes.laneFor(budget);
  };
  const laneOf: Core['laneOf'] = ({ budgetId }) => lanes.find(budgetId) ?? makeLane(budgetId);
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
