import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OTHER_CORE } from '../contestants/contestant.ts';
import { startChild } from '../machine/scratch.ts';

const ATTACKER = fileURLToPath(new URL('./slow-attacker.ts', import.meta.url));
const PER_SECOND = 200;
const CONNECTIONS = 20;

export interface SlowOrder {
  /** As slowhttptest's: slow headers (slowloris), slow body (R-U-Dead-Yet), slow read, ranges (Apache killer); or idle ones. */
  readonly mode: 'headers' | 'body' | 'read' | 'range' | 'idle';
  readonly port: number;
  readonly token: string;
  readonly connections: number;
  /** From one piece to the next, on each connection. */
  readonly pieceMs: number;
}

export interface AttackerReport {
  /** When it was told to end. */
  readonly open: number;
  /** Closed before a byte was heard. */
  readonly turnedAway: number;
  /** The connection that was open for longest, from its begin to its end. */
  readonly longestMs: number;
}

export interface Attack extends AsyncDisposable {
  /** Begins no more connections, waits until all are closed, by the gateway where it should, and tells. */
  end(): Promise<AttackerReport>;
}

/** Slow clients in a process of their own; all of them are there when this settles. */
export async function startAttack(order: SlowOrder): Promise<Attack> {
  const child = startChild(process.execPath, [ATTACKER, JSON.stringify(order)], { core: OTHER_CORE });
  const lines = createInterface({ input: child.process.stdout as NodeJS.ReadableStream });
  await once(lines, 'line');
  return {
    async end() {
      const told = once(lines, 'line');
      child.process.stdin?.end();
      return JSON.parse(String((await told)[0])) as AttackerReport;
    },
    [Symbol.asyncDispose]: () => child.end(),
  };
}

/** Somebody else who calls meanwhile, at an even pace, and keeps their connections. */
export class Others implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #url: string;
  readonly #token: string;
  #calls = 0;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Opens all connections that there will be, so that none is needed when there may be no more. */
  async connect(): Promise<void> {
    await Promise.all(Array.from({ length: CONNECTIONS }, () => this.#call()));
  }

  /** @returns the 99th percentile of what calls took, milliseconds */
  async p99(seconds: number): Promise<number> {
    const began = performance.now();
    const calls: Promise<number>[] = [];
    for (let n = 0; n < seconds * PER_SECOND; n++) {
      const wait = began + (n * 1_000) / PER_SECOND - performance.now();
      if (wait > 0) await sleep(wait);
      calls.push(this.#call());
    }
    const times = (await Promise.all(calls)).toSorted((a, b) => a - b);
    return times[Math.floor(times.length * 0.99)] as number;
  }

  #call(): Promise<number> {
    const options = { agent: this.#agent, headers: { authorization: `Bearer ${this.#token}` } };
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const req = request(`${this.#url}/v1/default/device?limit=1&n=${this.#calls++}`, options, (res) => {
        res.resume();
        res.on('end', () => {
          if (res.statusCode === 200) resolve(performance.now() - began);
          else reject(new Error(`a call of somebody else was answered ${res.statusCode}`));
        });
      });
      req.on('error', reject);
      req.end();
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
