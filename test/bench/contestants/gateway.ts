import type { ChildProcess } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createLog } from '../../../src/call/call-log.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { OPERATES } from '../../../src/domain/authority.ts';
import { openManagement } from '../../../src/gateway.ts';
import { scratchDirectory, startChild } from '../machine/scratch.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { Contestant } from './contestant.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** As `npm start` has them. */
const START_FLAGS = startFlags();
const OPERATOR = { actor: { kind: 'operator', account: 'bench' }, authority: OPERATES } as const;

export interface GatewayOptions {
  readonly masonUrl: string;
  readonly key: string;
  readonly limit: string;
  readonly apps: readonly string[];
  /** Of the apps' tokens; `fleet:read` without. */
  readonly scopes?: readonly string[];
  /** The same; `change` without. */
  readonly effects?: string;
  readonly engine?: 'fair' | 'bottleneck';
  readonly core?: number;
  /** Rooms of `gateway.yaml`, as they stand there. */
  readonly settings?: Readonly<Record<string, object>>;
}

/** A data directory with a team, a key, a budget and tokens, for one gateway or several. */
export interface Installation {
  /** By app. */
  readonly tokens: ReadonlyMap<string, string>;
  /** What its gateways are started with, which `loadConfig` takes too. */
  readonly env: Readonly<Record<string, string>>;
  /** What a gateway of this id says. */
  logFile(id: string): string;
  start(placement?: Placement): Promise<GatewayProcess>;
}

/** What is another one for each gateway of an installation. */
export interface Placement {
  readonly id?: string;
  readonly core?: number;
  readonly redisUrl?: string;
  /** A module that is there before the gateway is, and flags for Node. */
  readonly preload?: string;
  readonly flags?: readonly string[];
}

export interface GatewayProcess extends Contestant {
  readonly tokens: Installation['tokens'];
  readonly process: ChildProcess;
  /** The text of the private door's `/metrics`. */
  metrics(): Promise<string>;
  /** How its budgets are shared now: `local`, or one or more of `shared`, `silent`, `alone`. */
  budgets(): Promise<string>;
  /** When a call ended, by the gateway's wall clock, milliseconds since 1970. */
  recordedAt(requestId: string): Promise<number>;
  /** Spread of the way to Mason by which it paces, milliseconds. */
  spreadMs(): Promise<number>;
}

/** The whole gateway in a process of its own, as `npm start` runs it: a team, a key, a budget, its record, its log in a file. */
export async function startGatewayProcess(options: GatewayOptions): Promise<GatewayProcess> {
  const { start } = await install(options);
  return start(options.core === undefined ? {} : { core: options.core });
}

/** @param calls settings of the same name. */
export async function install(
  options: Omit<GatewayOptions, 'core'>,
  calls: Readonly<Record<string, number>> = {},
): Promise<Installation> {
  const directory = scratchDirectory();
  const settings = `${directory}/gateway.yaml`;
  writeFileSync(settings, JSON.stringify({ lane: { engine: options.engine ?? 'fair' }, calls, ...options.settings }));
  const env = {
    GATEWAY_CONFIG: settings,
    GATEWAY_DATA_DIR: `${directory}/data`,
    GATEWAY_LOG_LEVEL: 'info',
    GATEWAY_PORT: '0',
    GATEWAY_PRIVATE_PORT: '0',
    MASON_BASE_URL: options.masonUrl,
    NODE_ENV: 'production',
  };
  const tokens = await seed(env, options);
  const logFile = (id: string): string => `${directory}/${id}.log`;
  return { tokens, env, logFile, start: (placement = {}) => startOne(directory, env, tokens, placement) };
}

async function startOne(
  directory: string,
  env: Readonly<Record<string, string>>,
  tokens: Installation['tokens'],
  { id = 'gateway-1', core, redisUrl, preload, flags = [] }: Placement,
): Promise<GatewayProcess> {
  const logFile = `${directory}/${id}.log`;
  const log = openSync(logFile, 'a');
  const before = preload === undefined ? [] : ['--import', preload];
  const child = startChild(process.execPath, [...START_FLAGS, ...flags, ...before, MAIN], {
    ...(core === undefined ? {} : { core }),
    env: { ...env, GATEWAY_ID: id, ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }) },
    stdio: ['ignore', log, 'inherit', ...(preload === undefined ? [] : (['ipc'] as const))],
  });
  const [url, health] = await waitUntil('the gateway runs', () => {
    if (child.process.exitCode !== null) throw new Error(`the gateway ended with ${child.process.exitCode}`);
    const said = readFileSync(logFile, 'utf8');
    const found = /calls +(http:\S+)\/v1 [\s\S]*health +(http:\S+)\/readyz/.exec(said);
    return found === null ? undefined : ([found[1] as string, found[2] as string] as const);
  });
  const socketPath = `${directory}/data/gateway-${id}.sock`;
  const see = (path: string) => fetch(health + path, { headers: { connection: 'close' } });
  return {
    name: 'gateway',
    url,
    pid: child.pid,
    process: child.process,
    tokens,
    check: async (answer) => void (await recordedAt(socketPath, answer.headers.get('request-id') ?? '')),
    recordedAt: (requestId) => recordedAt(socketPath, requestId),
    tidy: () => ftruncateSync(log),
    metrics: async () => (await see('/metrics')).text(),
    budgets: async () => ((await (await see('/readyz')).json()) as { state: { budgets: string } }).state.budgets,
    spreadMs: async () => {
      const { data = [] } = await administer<{ data?: { spreadMs: number | null }[] }>(socketPath, '/admin/v1/limits');
      return data[0]?.spreadMs ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await child.end();
      closeSync(log);
    },
  };
}

function startFlags(): string[] {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: { start: string } };
  const words = scripts.start.split(' ').slice(2, -1);
  return words.map((word) => word.replace(/^\.\//, root));
}

async function seed(env: Record<string, string>, options: Omit<GatewayOptions, 'core'>): Promise<Map<string, string>> {
  const log = createLog('silent', { write: () => undefined });
  const { acts, close } = await openManagement(loadConfig(env), { masonUrl: options.masonUrl, log });
  const team = 'bench';
  await acts['team.add'](OPERATOR, { slug: team });
  const { key, limit } = options;
  await acts['key.add'](OPERATOR, { team, name: 'main', key, scopes: ['account:owner'], limit });
  const tokens = new Map<string, string>();
  for (const app of options.apps) {
    await acts['app.add'](OPERATOR, { team, name: app });
    const { scopes = ['fleet:read'], effects } = options;
    const made = await acts['token.create'](OPERATOR, { team, app, scopes, effects });
    tokens.set(app, made.token);
  }
  await close();
  return tokens;
}

/** When a call that was answered with 200 ended, as the record says. @throws Error when it does not come on record */
async function recordedAt(socketPath: string, requestId: string): Promise<number> {
  const { at } = await waitUntil(`the record of ${requestId}`, async () => {
    const { data = [] } = await administer<{ data?: { event: Record<string, unknown> }[] }>(
      socketPath,
      `/admin/v1/audit/${requestId}`,
    );
    return data.map(({ event }) => event).find(({ kind, status }) => kind === 'outcome' && status === 200);
  });
  return new Date(at as number | string).getTime();
}

/** As the command line asks. */
async function administer<T>(socketPath: string, path: string): Promise<T> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, path, agent: false }, resolve).on('error', reject).end();
  });
  return (await json(answer)) as T;
}
