import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What `npm start` gives to Node: what is tested is what people start. */
const ARGUMENTS = startArguments();

function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const [, words] = /^exec node (.+)$/.exec(scripts.start) ?? [];
  if (words === undefined) throw new Error(`npm start: expected "exec node ...", got "${scripts.start}"`);
  return words.split(' ').map((word) => (/^(?:\.\/)?src\//.test(word) ? join(ROOT, word) : word));
}

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `src/main.ts` in a process of its own. */
export interface GatewayProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly privateUrl: string;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal, and gives the end that follows. */
  end(signal: NodeJS.Signals): Promise<End>;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<End>;
  readonly said: { stdout: string; stderr: string };
}

function run(cwd: string, env: Readonly<Record<string, string>>): Running {
  const ports = { GATEWAY_PORT: '0', GATEWAY_PRIVATE_PORT: '0', SIMULATOR_PORT: '0' };
  const child = spawn(process.execPath, ARGUMENTS, {
    cwd,
    env: { ...ports, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (text) => {
    said.stdout += text;
  });
  child.stderr?.on('data', (text) => {
    said.stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...said }) as End);
  return { child, ended, said };
}

/** Starts a gateway on free ports, with these variables and no others, in this directory; waits until it says where it is. */
export async function spawnGateway(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
  const { child, ended, said } = run(cwd, env);
  let end: End | undefined;
  void ended.then((how) => {
    end = how;
  });
  const [, port, privateUrl] = await eventually('the gateway runs', () => {
    if (end !== undefined) throw new Error(`the gateway ended at its start: ${JSON.stringify(end)}`);
    return (
      /calls +http:\/\/127\.0\.0\.1:(\d+)\/v1.*health +(http:\/\/127\.0\.0\.1:\d+)\/readyz.*data /s.exec(said.stdout) ??
      undefined
    );
  });
  const stop = async (signal: NodeJS.Signals): Promise<End> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port: Number(port),
    privateUrl: privateUrl as string,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    end: stop,
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
    },
  };
}

/** A start that is expected to fail: gives its end. */
export async function failedStart(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<End> {
  const { child, ended } = run(cwd, env);
  const cancel = setTimeout(() => child.kill('SIGKILL'), 40_000);
  const end = await ended;
  clearTimeout(cancel);
  return end;
}
