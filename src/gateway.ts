import type { RequestListener, Server } from 'node:http';
import { createAdminApi, serveAlone } from './admin/admin-api.ts';
import { administratorOf } from './admin/administrator-of.ts';
import { operatorOnSocket } from './admin/asker.ts';
import { listenForCommands } from './admin/gateway-sockets.ts';
import { openBrowserRoom } from './browser-room.ts';
import { logCalls } from './call/call-log.ts';
import { createMetrics } from './call/call-metrics.ts';
import { Joins } from './call/joins.ts';
import { KeyHealth } from './call/key-health.ts';
import { LoopLag } from './call/loop-lag.ts';
import { OpenCalls } from './call/open-calls.ts';
import { RetryBudget } from './call/retry-budget.ts';
import { Strangers } from './call/strangers.ts';
import { Verdicts } from './call/verdicts.ts';
import type { WalkRooms } from './call/walk.ts';
import type { Config } from './config/config.ts';
import { redisAddress } from './config/redis-settings.ts';
import { type Core, type CoreOptions, makeDataDirectory, openCore } from './core.ts';
import { systemClock } from './domain/clock.ts';
import { GatewayError } from './domain/errors.ts';
import { answerError } from './http/answer.ts';
import { BadTries } from './http/bad-tries.ts';
import { closeServer, listen } from './http/listen.ts';
import { localAddress } from './http/local-address.ts';
import { addressList, peerAddress } from './http/peer-address.ts';
import { createPrivateServer } from './http/private-server.ts';
import { createPublicServer } from './http/public-server.ts';
import type { Acts } from './manage/acts.ts';
import { OPERATIONS } from './mason/operations.ts';
import { RouteTable } from './mason/route-table.ts';
import { isKnownScope, MASON_SCOPES } from './mason/scopes.ts';
import { placeOnDatabase } from './place-on-database.ts';
import { certificateState, openCertificate } from './public-certificate.ts';
import { createPublicDoor, mayUpgrade } from './public-door.ts';
import { placeState, problemsOf, stateOf } from './readiness.ts';
import { openSinks, sinksState } from './sinks-room.ts';
import { openTransferRooms } from './stream/transfer/walk-transfer.ts';
import { openXrayRoom } from './xray-room.ts';

/** For answers on their way to slow readers, once no call is under way any more. */
const CLOSE_GRACE_MS = 2_000;

export interface Gateway {
  readonly publicPort: number;
  readonly privatePort: number;
  readonly socket: string;
  readonly acts: Acts;
  /** Takes no more calls, lets those under way finish for at most `gateway.shutdownMs`, then closes every room. */
  close(): Promise<void>;
}

/**
 * The administrative acts without a gateway: for the command line when none is running, as a run of its own.
 *
 * @throws Error with one clear line
 */
export async function openManagement(
  config: Config,
  options: CoreOptions,
): Promise<{ acts: Acts; close(): Promise<void> }> {
  const core = await openCore(config, options);
  return { acts: core.acts, close: async () => core[Symbol.asyncDispose]() };
}

/**
 * Opens every room and, last, the doors.
 *
 * @throws Error with one clear line: a port that is taken, a directory that cannot be written, a wrong master key
 */
export async function openGateway(config: Config, options: CoreOptions): Promise<Gateway> {
  await using stack = new AsyncDisposableStack();
  makeDataDirectory(config.gateway.dataDir);
  // First of all: a second gateway on this directory must be refused before it opens a record of its own.
  let answerAdmin: RequestListener = (_req, res) => {
    answerError(res, new GatewayError('shutting_down', 'the gateway is starting or ending: try again'));
  };
  const { dataDir, id } = config.gateway;
  const sockets = stack.use(
    await listenForCommands(dataDir, id, redisAddress(config.redis) !== undefined, (req, res) => answerAdmin(req, res)),
  );
  const place = stack.use(await placeOnDatabase(config, options.log));
  const core = stack.use(await openCore(config, options));
  core.life.watch();
  core.retention.start();
  const verdicts = stack.use(
    new Verdicts({ ...core.store, openKey: core.openKey }, systemClock, { staleMs: config.calls.verdictStaleMs }),
  );
  await verdicts.refresh();
  const trusted = config.listen.trustedProxies;
  const trustedProxies = trusted.length === 0 ? undefined : addressList(trusted);
  const calls = new OpenCalls(systemClock, trustedProxies);
  verdicts.onChange(() => void calls.abortRevoked(verdicts));
  verdicts.onChange(() => void retuneLanes(core));
  const metrics = createMetrics({
    lanes: () => core.lanes.stats(),
    callsOpen: () => calls.count,
    recordHealth: () => core.record.health(),
  });
  openSinks(config, core, options.log, metrics.registry);
  const certificate = stack.use(await openCertificate(config, options.log, metrics.registry));
  const log = logCalls(options.log, systemClock);
  stack.defer(() => log.flush());
  const keyHealth = new KeyHealth();
  const tries = new BadTries(systemClock, config.signIn.badTriesPerMinuteMax);
  const browserRoom = stack.use(
    await openBrowserRoom(config, { core, verdicts, calls, keyHealth, tries, trustedProxies, log: options.log }),
  );
  const strangers = stack.use(new Strangers(systemClock, core.record));
  const { totalMs, firstByteMs: errorBodyMsMax } = config.mason;
  const { answerIdleMs } = config.listen;
  const rooms: WalkRooms = {
    clock: systemClock,
    calls,
    verdicts,
    browsers: browserRoom.browsers,
    tries,
    strangers,
    keyHealth,
    routes: new RouteTable([...OPERATIONS, ...config.operations.map(configuredOperation)]),
    laneOf: core.laneOf,
    record: core.record,
    mason: core.mason,
    joins: new Joins(config.lane.waitingBytesMax),
    retries: new RetryBudget(),
    lag: stack.use(new LoopLag(systemClock)),
    observer: (end) => {
      log.observe(end);
      metrics.observe(end);
    },
    bounds: { ...config.calls, totalMs, errorBodyMsMax, answerIdleMs },
  };

  const xray = openXrayRoom(config, { core, rooms, masonUrl: options.masonUrl, registry: metrics.registry });
  const ending = { begun: false };
  const privateServer = createPrivateServer({
    problems: () => problemsOf(ending, verdicts, core),
    state: () => ({ ...stateOf(core), ...certificateState(certificate), ...sinksState(core), ...placeState(place) }),
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
  });
  const acts = noticedAtOnce(core.acts, verdicts);
  const { browsers, cookieName } = browserRoom;
  const onBug = (error: unknown, requestId: string): void => {
    options.log.error({ requestId, err: error }, 'a bug: please report it');
  };
  answerAdmin = serveAlone(createAdminApi(acts, { identify: operatorOnSocket, onBug, cookieName }));
  const identify = administratorOf({
    verdicts,
    browsers,
    record: core.record,
    strangers,
    clock: systemClock,
    tries,
    addressOf: (req) => peerAddress(req, trustedProxies),
  });
  const publicServer = createPublicServer(
    config.listen,
    createPublicDoor({
      calls: rooms,
      transfers: openTransferRooms(rooms, config.transfers, metrics.registry),
      xray,
      signIn: browserRoom.app,
      management: createAdminApi(acts, { identify, onBug, cookieName }),
      crossOrigin: browserRoom.cors,
      ending,
    }),
    certificate,
    mayUpgrade,
  );
  const privatePort = await open(
    stack,
    privateServer,
    config.listen.privateHost,
    config.listen.privatePort,
    'GATEWAY_PRIVATE_PORT',
  );
  const publicPort = await open(stack, publicServer, config.listen.host, config.listen.port, 'GATEWAY_PORT');
  core.doors.publicAddress ??= localAddress(config.listen.host, publicPort);
  const rest = stack.move();
  return {
    publicPort,
    privatePort,
    socket: sockets.path,
    acts,
    async close() {
      ending.begun = true;
      // A session has no end of its own that could be waited for: who wants to goes on at another gateway.
      xray.sessions.endAll(new GatewayError('shutting_down', 'service restart'));
      const closed = closeServer(publicServer, config.gateway.shutdownMs + CLOSE_GRACE_MS);
      const cancel = systemClock.after(config.gateway.shutdownMs, () => {
        calls.abortAll(new GatewayError('shutting_down', 'the gateway is shutting down'));
      });
      await calls.idle();
      cancel();
      await closed;
      await sockets.close();
      await rest[Symbol.asyncDispose]();
    },
  };
}

/** What is done here is in force here before it is answered; other gateways notice within half a second. */
function noticedAtOnce(acts: Acts, verdicts: Verdicts): Acts {
  const noticed = Object.entries(acts).map(([name, act]) => {
    const thenRefresh = async (...args: Parameters<typeof act>) => {
      try {
        return await act(...args);
      } finally {
        await verdicts.refresh();
      }
    };
    return [name, Object.assign(thenRefresh, { need: act.need, input: act.input })];
  });
  return Object.fromEntries(noticed) as Acts;
}

/** After a change in the store: lanes follow their budgets. */
async function retuneLanes(core: Core): Promise<void> {
  try {
    for (const [budgetId] of [...core.lanes.stats()]) {
      const budget = await core.store.budgets.findById(budgetId);
      if (budget === undefined) await core.lanes.drop(budgetId);
      else await core.followBudget(budget);
    }
  } catch {
    // The store does not answer: the next change it tells of comes with all that was missed.
  }
}

/** @throws Error with one clear line: a scope that Mason does not have could never be held */
function configuredOperation(given: Config['operations'][number]): ConstructorParameters<typeof RouteTable>[0][number] {
  const { confirm, ...rest } = given;
  if (!isKnownScope(given.scope)) {
    throw new Error(`operations: ${given.id}: scope: expected one of ${MASON_SCOPES.join(', ')}, got "${given.scope}"`);
  }
  return { ...rest, standing: 'configured', ...(confirm === undefined ? {} : { confirm }) };
}

async function open(
  stack: AsyncDisposableStack,
  server: Server,
  host: string,
  port: number,
  door: string,
): Promise<number> {
  const actual = await listen(server, host, port, door);
  stack.defer(() => closeServer(server));
  return actual;
}
