import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Config } from './config/config.ts';
import { type Administrator, OPERATES } from './domain/authority.ts';
import type { Acts } from './manage/acts.ts';
import { seedDemo } from './manage/demo.ts';

/** Keys that the simulator of the embedded default knows: for demonstrations on one machine only. */
const DEMO_KEYS = [
  { name: 'reader', key: 'demo-reader-key-4f1c', scopes: ['fleet:read'] },
  { name: 'owner', key: 'demo-owner-key-9b2e', scopes: ['account:owner'] },
] as const;

/** The team that `seedDemo` makes. */
const DEMO_TEAM = 'demo';

const DEMO_LIMIT = { calls: 50, windowMs: 1_000 };

const OPERATOR: Administrator = { actor: { kind: 'gateway' }, authority: OPERATES };

export interface SimulatorThread {
  readonly url: string;
  /** Tells the example page, which the simulator serves, where the gateway is. */
  showGateway(gatewayUrl: string): void;
  close(): Promise<unknown>;
}

/** What a first start shows, once. */
export interface FirstSecrets {
  readonly token: string;
  /** Path of a link that signs the first person in, below the gateway's address. */
  readonly signInPath: string;
}

/** The settings of the embedded default: the example page of the simulator may act for the demo team. */
export function withExample(config: Config, simulatorUrl: string): Config {
  return { ...config, frontends: [...config.frontends, { origin: simulatorUrl, teams: [DEMO_TEAM] }] };
}

/**
 * Mason's stand-in when no Mason is configured: the simulator in a thread that ends with the process.
 *
 * @returns its address
 * @throws Error with one clear line when its port is taken
 */
export async function startSimulatorThread(port: number): Promise<SimulatorThread> {
  const worker = new Worker(new URL(`./simulator/worker${extname(import.meta.url)}`, import.meta.url), {
    // Not the flags of this process: a thread refuses those of V8. It serves the example's client with its types stripped,
    // which Node calls an experiment.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    workerData: {
      port,
      keys: DEMO_KEYS.map(({ name, key, scopes }) => ({ label: name, key, scopes })),
      limit: { ...DEMO_LIMIT, kind: 'sliding-log', scope: 'key' },
      latency: { min: 5, max: 20 },
    },
  });
  worker.unref();
  try {
    const [ready] = (await once(worker, 'message')) as [{ url: string }];
    return {
      url: ready.url,
      showGateway: (gatewayUrl) => worker.postMessage({ gatewayUrl }),
      close: () => worker.terminate(),
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || message.includes('EADDRINUSE')) {
      throw new Error(`SIMULATOR_PORT: port ${port} is taken; stop what uses it, or set SIMULATOR_PORT`);
    }
    throw new Error(`the simulator did not start: ${message}`);
  }
}

/**
 * Gives an empty store something to begin with.
 *
 * @returns what to show on the first start; undefined when there are teams already
 */
export async function seedWhenEmpty(acts: Acts): Promise<FirstSecrets | undefined> {
  const { data } = await acts['team.list'](OPERATOR);
  if (data.length > 0) return undefined;
  const limit = `${DEMO_LIMIT.calls}/${DEMO_LIMIT.windowMs / 1_000}s`;
  const token = await seedDemo(acts, OPERATOR, { keys: DEMO_KEYS, limit });
  const link = await acts['link.create'](OPERATOR, { name: 'Demo lead', grants: [{ role: 'lead', team: DEMO_TEAM }] });
  return { token, signInPath: link.path };
}
