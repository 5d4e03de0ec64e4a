import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
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
  readonly engine?: 'fair' | 'bottleneck';
  readonly core?: number;
}

export interface GatewayProcess extends Contestant {
  /** By app. */
  readonly tokens: ReadonlyMap<string, string>;
  /** The text of the private door's `/metrics`. */
  metrics(): Promise<string>;
}

/** The whole gateway in a process of its own, as `npm start` runs it: a team, a key, a budget, its record, its log in a file. */
export async function startGatewayProcess(options: GatewayOptions): Promise<GatewayProcess> {
  const directory = scratchDirectory();
  const settings = `${directory}/gateway.yaml`;
  writeFileSync(settings, `lane: {engine: ${options.engine ?? 'fair'}}\n`);
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
  const logFile = `${directory}/gateway.log`;
  const log = openSync(logFile, 'a');
  const placed = options.core === undefined ? {} : { core: options.core };
  const child = startChild(process.execPath, [...START_FLAGS, MAIN], {
    ...placed,
    env,
    stdio: ['ignore', log, 'inherit'],
  });
  const [url, health] = await waitUntil('the gateway runs', () => {
    if (child.process.exitCode !== null) throw new Error(`the gateway ended with ${child.process.exitCode}`);
    const said = readFileSync(logFile, 'utf8');
    const found = /calls +(http:\S+)\/v1 [\s\S]*health +(http:\S+)\/readyz/.exec(said);
    return found === null ? undefined : ([found[1] as string, found[2] as string] as const);
  });
  return {
    name: 'gateway',
    url,
    pid: child.pid,
    tokens,
    check: (answer) => isOnRecord(`${directory}/data/gateway.sock`, answer.headers.get('request-id') ?? ''),
    tidy: () => ftruncateSync(log),
    metrics: async () => (await fetch(`${health}/metrics`)).text(),
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

async function seed(env: Record<string, string>, options: GatewayOptions): Promise<Map<string, string>> {
  const log = createLog('silent', { write: () => undefined });
  const { acts, close } = await openManagement(loadConfig(env), { masonUrl: options.masonUrl, log });
  const team = 'bench';
  await acts['team.add'](OPERATOR, { slug: team });
  const { key, limit } = options;
  await acts['key.add'](OPERATOR, { team, name: 'main', key, scopes: ['account:owner'], limit });
  const tokens = new Map<string, string>();
  for (const app of options.apps) {
    await acts['app.add'](OPERATOR, { team, name: app });
    const made = await acts['token.create'](OPERATOR, { team, app, scopes: ['fleet:read'] });
    tokens.set(app, made.token);
  }
  await close();
  return tokens;
}

/** @throws Error when the call's outcome does not come on record */
async function isOnRecord(socketPath: string, requestId: string): Promise<void> {
  await waitUntil(`the record of ${requestId}`, async () => {
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request({ socketPath, path: `/admin/v1/audit/${requestId}`, agent: false }, resolve)
        .on('error', reject)
        .end();
    });
    const { data = [] } = (await json(answer)) as { data?: { event: Record<string, unknown> }[] };
    return data.some(({ event }) => event['kind'] === 'outcome' && event['status'] === 200) || undefined;
  });
}
