import { expect } from '@jest/globals';
import { OWNER_KEY, startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import type { RawAnswer } from './raw-answer.ts';
import { RawSocket } from './raw-socket.ts';
import { type SimulatorProcess, spawnSimulator } from './simulator.ts';

/** A simulated Mason, a gateway before it, and raw sockets to the gateway. */
export interface RawBench extends AsyncDisposable {
  readonly sim: SimulatorProcess;
  readonly gateway: TestGateway;
  readonly token: string;
  /** `Host` and `Authorization`, with their line ends. */
  readonly auth: string;
  open(): Promise<RawSocket>;
  /** A sound GET that must be answered soundly, on a given connection or on a fresh one. */
  good(on?: RawSocket): Promise<void>;
  /** Forgets what the simulator saw; what comes after is the hostile one's doing. */
  forget(): Promise<void>;
  /** Fails unless the simulator saw nothing since {@link forget}: no request, no piece of one, no connection. */
  untouched(): Promise<void>;
  /** Calls that the gateway thinks are under way. */
  callsOpen(): Promise<number>;
  close(): Promise<void>;
}

/** The path of a sound read. */
export const GOOD_PATH = '/v1/default/device?limit=1';

export async function openBench(
  settings: NonNullable<TestGatewayOptions['settings']> = {},
  simulatorArguments: readonly string[] = [],
): Promise<RawBench> {
  const sim = await spawnSimulator(['--devices', '3', '--key', `${OWNER_KEY}=account:owner`, ...simulatorArguments]);
  const gateway = await startGateway({ masonUrl: sim.url, settings });
  const token = await gateway.token();
  const auth = `Host: 127.0.0.1:${gateway.port}\r\nAuthorization: Bearer ${token}\r\n`;
  const open = (): Promise<RawSocket> => RawSocket.open(gateway.port);
  const close = async (): Promise<void> => {
    await gateway.close();
    await sim.close();
  };
  return {
    sim,
    gateway,
    token,
    auth,
    open,
    async good(on) {
      using fresh = on === undefined ? await open() : undefined;
      const socket = on ?? (fresh as RawSocket);
      await socket.write(`GET ${GOOD_PATH} HTTP/1.1\r\n${auth}\r\n`);
      const answer = await socket.answer();
      expect(answer).toMatchObject({ status: 200, complete: true });
      expect(JSON.parse(answer.body.toString())).toMatchObject({ data: [expect.anything()] });
    },
    forget: () => sim.reset(),
    async untouched() {
      expect(await sim.stats()).toMatchObject({
        requestsReached: 0,
        malformed: 0,
        incomplete: 0,
        connections: { opened: 0 },
      });
      expect(await sim.requests()).toEqual([]);
    },
    async callsOpen() {
      const metrics = await (await fetch(`${gateway.privateUrl}/metrics`)).text();
      return Number(/^mason_gateway_calls_open (\d+)$/m.exec(metrics)?.[1]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Fails unless an answer has the headers that every answer has, and none that tells what stands behind. */
export function expectSecurityHeaders({ headers }: RawAnswer): void {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringMatching(/^max-age=\d{7,}/),
    'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
    'cache-control': 'no-store',
  });
  for (const name of ['server', 'x-powered-by', 'via', 'set-cookie', 'location'])
    expect(headers).not.toHaveProperty(name);
}

/** Fails unless it is an error of the gateway in the one shape, with one of these statuses. @returns its message */
export function expectRefusal(answer: RawAnswer, ...statuses: readonly number[]): string {
  expect(statuses).toContain(answer.status);
  expect(answer.complete).toBe(true);
  expectSecurityHeaders(answer);
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'error-source': 'gateway' });
  const body = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  expect(Object.keys(body).toSorted()).toEqual(['message', 'type']);
  expect(body['type']).toMatch(/^(?:[a-z]+_)+error$/);
  const message = String(body['message']);
  // No stack, file or address of ours (security: errors tell nothing about the inside).
  expect(message).not.toMatch(/\bat [^ ]+ \(|node:|\.ts\b|127\.0\.0\.1|ECONN|localhost/);
  return message;
}

/** Waits until something holds that another process or a timer brings about. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const patience = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > patience) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
