import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../src/config/config.ts';
import { OPERATES } from '../../src/domain/authority.ts';
import { type Gateway, openGateway } from '../../src/gateway.ts';
import type { ActName } from '../../src/manage/acts.ts';

const OPERATOR = { actor: { kind: 'operator', account: 'tests' }, authority: OPERATES } as const;

export interface TestKey {
  readonly key: string;
  readonly scopes: readonly string[];
  /** Default `100000/1s`: a limit that does not bind. */
  readonly limit?: string;
}

export interface TestGatewayOptions {
  readonly masonUrl: string;
  /** Keys of the team `alpha`; default: one owner key that {@link OWNER_KEY} names. */
  readonly keys?: readonly TestKey[];
  /** Settings of `gateway.yaml` that differ from the defaults; merged room by room. */
  readonly settings?: Readonly<Record<string, Record<string, unknown> | readonly unknown[]>>;
  /** A data directory to go on with; default: a new one that goes away with the gateway. */
  readonly dataDir?: string;
}

/** Give the simulator `--key ${OWNER_KEY}=account:owner`. */
export const OWNER_KEY = 'owner-key-0123456789abcdef';

export interface TestGateway extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly privateUrl: string;
  readonly dataDir: string;
  readonly gateway: Gateway;
  /** Makes a token of team `alpha`; the app is made when it is not there. Defaults: all of Mason's scopes, destructive. */
  token(options?: { app?: string; scopes?: string[]; effects?: string; [more: string]: unknown }): Promise<string>;
  /** Does an administrative act, as the operator. */
  administer(act: ActName, input: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Fetches a path with a token. */
  call(token: string, path: string, init?: RequestInit): Promise<Response>;
  /** Events on record, newest first. */
  record(filter?: Record<string, unknown>): Promise<Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** A whole gateway in this process, on free ports and a directory of its own. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gateway-')));
  const config = withSettings(dataDir, options);
  const log = pino({ level: 'silent' });
  const gateway = await openGateway(config, { masonUrl: options.masonUrl, log });
  const { acts } = gateway;
  const apps = new Set<string>();
  if ((await acts['team.list'](OPERATOR)).data.length === 0) {
    await acts['team.add'](OPERATOR, { slug: 'alpha' });
    const keys = options.keys ?? [{ key: OWNER_KEY, scopes: ['account:owner'] }];
    for (const [index, { key, scopes, limit = '100000/1s' }] of keys.entries()) {
      await acts['key.add'](OPERATOR, { team: 'alpha', name: `key-${index + 1}`, key, scopes, limit });
    }
  }
  const url = `http://127.0.0.1:${gateway.publicPort}`;
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await gateway.close();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  return {
    url,
    port: gateway.publicPort,
    privateUrl: `http://127.0.0.1:${gateway.privatePort}`,
    dataDir,
    gateway,
    async token({ app = 'tests', scopes = ['account:owner'], effects = 'destructive', ...more } = {}) {
      if (!apps.has(app)) {
        apps.add(app);
        await acts['app.add'](OPERATOR, { team: 'alpha', name: app }).catch(() => undefined);
      }
      return (await acts['token.create'](OPERATOR, { team: 'alpha', app, scopes, effects, ...more })).token;
    },
    administer: (act, input) => acts[act](OPERATOR, input),
    call: (token, path, init = {}) =>
      fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
    async record(filter = {}) {
      for (let looks = 1; ; looks++) {
        const page = await acts['audit.query'](OPERATOR, { limit: 1_000, ...filter });
        if (looks === LOOKS_MAX || (await lagEvents(gateway.privatePort)) <= 1)
          return page.data.map(({ event }) => event);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A busy disk takes longer than a query waits for the newest events. */
const LOOKS_MAX = 8;

/** Events that are not durable yet; the query itself is one. */
async function lagEvents(privatePort: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${privatePort}/metrics`)).text();
  return Number(/^mason_gateway_record_lag_events (\d+)$/m.exec(metrics)?.[1]);
}

function withSettings(dataDir: string, options: TestGatewayOptions): ReturnType<typeof loadConfig> {
  const base = loadConfig({
    GATEWAY_PORT: '0',
    GATEWAY_PRIVATE_PORT: '0',
    GATEWAY_DATA_DIR: dataDir,
    GATEWAY_LOG_LEVEL: 'silent',
    MASON_BASE_URL: options.masonUrl,
  });
  const merged: Record<string, unknown> = { ...base };
  for (const [room, settings] of Object.entries(options.settings ?? {})) {
    merged[room] = Array.isArray(settings) ? settings : { ...(merged[room] as object), ...settings };
  }
  return merged as ReturnType<typeof loadConfig>;
}
