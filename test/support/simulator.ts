import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fault, FaultRule } from '../../src/simulator/faults/fault.ts';
import type { Artifact, Effect } from '../../src/simulator/mason/account.ts';
import type { ShownRequest } from '../../src/simulator/record/request-log.ts';
import type { StatsReport } from '../../src/simulator/record/stats.ts';

const MAIN = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url));

/** What the account behind the simulated API looks like, and what was done to its devices. */
export interface SimulatorState {
  readonly devices: number;
  readonly groups: number;
  readonly effects: readonly Effect[];
  readonly artifacts: readonly Artifact[];
}

/** The remote control of a simulated Mason: its `/_sim`. */
export interface SimulatorControl {
  /** @param windowMs looks at sliding windows of this length instead of the limit's. */
  stats(windowMs?: number): Promise<StatsReport>;
  /** The newest `last` requests (100), the oldest of them first. `/_sim` calls are not among them. */
  requests(last?: number): Promise<ShownRequest[]>;
  state(): Promise<SimulatorState>;
  /** Plans a fault; a bare fault happens once, to the next call whatever it is. */
  faults(rule: Fault | FaultRule): Promise<void>;
  clearFaults(): Promise<void>;
  /** Everything as it was at the start: fleet, counts, requests, faults, limits. */
  reset(): Promise<void>;
}

/** A simulated Mason in a process of its own. */
export interface SimulatorProcess extends SimulatorControl, AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the process by SIGTERM and gives its exit code; once is enough, more does no harm. */
  close(): Promise<number | null>;
}

/** Starts `src/simulator/main.ts` with these options on a free port, and waits until it listens. */
export async function spawnSimulator(args: readonly string[] = []): Promise<SimulatorProcess> {
  const argv = ['--disable-warning=ExperimentalWarning', MAIN, '--port', '0', '--json', '--until-stdin-ends', ...args];
  // Without the environment: NODE_OPTIONS that jest needs are not meant for this process.
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let complaints = '';
  child.stderr.on('data', (text) => {
    complaints = `${complaints}${text}`.slice(-10_000);
  });
  const ready = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)),
    ended,
  ]);
  if (typeof ready !== 'string') throw new Error(`the simulator ended with ${ready} at its start: ${complaints}`);
  child.stderr.pipe(process.stderr);
  const { url, port } = JSON.parse(ready) as { url: string; port: number };
  const close = () => {
    if (child.exitCode === null && !child.killed) child.kill('SIGTERM');
    return ended;
  };
  return {
    ...simulatorAt(url),
    url,
    port,
    pid: child.pid ?? 0,
    close,
    [Symbol.asyncDispose]: async () => {
      await close();
    },
  };
}

/** The remote control of whatever simulator listens at this address. */
export function simulatorAt(url: string): SimulatorControl {
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/_sim/${path}`, {
      method,
      // Kept alive, the connection would be closed under the next question by the simulator's own idle time-out.
      headers: { connection: 'close' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { message?: string };
    if (!response.ok) throw new Error(`${method} /_sim/${path}: ${answer.message}`);
    return answer;
  };
  return {
    stats: async (windowMs) => (await ask('GET', windowMs ? `stats?windowMs=${windowMs}` : 'stats')) as StatsReport,
    requests: async (last = 100) => ((await ask('GET', `requests?last=${last}`)) as { data: ShownRequest[] }).data,
    state: async () => (await ask('GET', 'state')) as SimulatorState,
    faults: async (rule) => {
      await ask('POST', 'faults', 'kind' in rule ? { fault: rule } : rule);
    },
    clearFaults: async () => {
      await ask('DELETE', 'faults');
    },
    reset: async () => {
      await ask('POST', 'reset');
    },
  };
}
