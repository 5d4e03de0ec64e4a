import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { spawnSimulator } from '../../support/simulator.ts';
import { type Contestant, MASON_KEY, PROXY_CORE } from '../contestants/contestant.ts';
import { startGatewayProcess } from '../contestants/gateway.ts';
import { startPeer } from '../contestants/peers.ts';
import { judge, type Part, percent, tell } from '../lane-bars/bar.ts';
import { processorMs, residentBytes } from '../machine/processor.ts';
import { provideTools } from '../machine/tools.ts';

const SESSIONS = 100;
const PIECES_PER_SECOND = 10;
const PIECE_BYTES = 10_000;
const MINUTE_MS = 60_000;
const QUICK_MS = 8_000;
/** A session that cannot keep its rate falls behind, further and further. */
const LATE_MS_MAX = 1_000;
const FULL_PIECE_BYTES = 65_536;
const FULL_PIECES = 8_000;
const QUICK_PIECES = 2_000;
const UNSENT_BYTES_MAX = 4 * 1024 * 1024;
const SPEED_MIN = 0.5;
const APP = 'xray';
const MB = 1_000_000;

/** A hundred sessions at once, each at a steady rate both ways. */
export const xraySessions: Part = {
  name: 'xray-sessions',
  about: '100 X-Ray sessions with 100 kB/s each way for a minute: nothing lost or reordered, processor, memory, delay',
  async run({ long }) {
    await using bench = await openBench();
    const { gateway, token, devices } = bench;
    const runMs = long ? MINUTE_MS : QUICK_MS;
    const calls = devices.map((device) => Session.open(gateway.url, token, device));
    const sessions = await Promise.all(calls);
    const [cpu, memory, from] = [processorMs(gateway.pid), residentBytes(gateway.pid), performance.now()];
    await Promise.all(sessions.map((session, n) => session.talkSteadily(runMs, n)));
    const seconds = (performance.now() - from) / 1_000;
    const used = (processorMs(gateway.pid) - cpu) / 1_000 / seconds;
    const grown = residentBytes(gateway.pid) - memory;
    const whole = sessions.filter((session) => session.isWhole).length;
    const delays = sessions.flatMap(({ delaysMs }) => delaysMs).toSorted((a, b) => a - b);
    const lateMs = seconds * 1_000 - runMs;
    for (const session of sessions) session.close();
    const all = sessions.reduce((sum, { heardBytes }) => sum + heardBytes, 0);
    tell(`${(all / seconds / MB).toFixed(1)} MB/s each way in all, for ${seconds.toFixed(0)} s`);
    tell(`gateway: ${percent(used)} of a processor, memory ${(grown / MB).toFixed(1)} MB more than at the start`);
    tell(`there and back: ${at(delays, 0.5)} ms (p50), ${at(delays, 0.99)} ms (p99), bench and echo included`);
    return [
      judge(whole === SESSIONS, `${whole} of ${SESSIONS} sessions whole: every piece back, in order, unchanged`),
      judge(
        lateMs <= LATE_MS_MAX,
        `the last piece was back ${lateMs.toFixed(0)} ms after its time; the bar is ${LATE_MS_MAX}`,
      ),
    ].every(Boolean);
  },
};

/** One session, as fast as it goes. */
export const xrayFullSpeed: Part = {
  name: 'xray-full-speed',
  about: 'one X-Ray session at full speed, beside bare http-proxy-middleware',
  async run({ long }) {
    await using bench = await openBench();
    await using bare = await startPeer('http-proxy-middleware', bench.masonUrl);
    const pieces = long ? FULL_PIECES : QUICK_PIECES;
    const [device = '', other = ''] = bench.devices;
    const through = await fullSpeed(bench.gateway, bench.token, device, pieces);
    const beside = await fullSpeed(bare, MASON_KEY, other, pieces);
    for (const [name, { speed, cpu }] of [
      ['gateway', through],
      ['bare', beside],
    ] as const) {
      tell(`${name}: ${(speed / MB).toFixed(0)} MB/s each way, ${cpu.toFixed(2)} s of processor a GB each way`);
    }
    const share = through.speed / beside.speed;
    return [
      judge(
        through.isWhole && beside.isWhole,
        `${((pieces * FULL_PIECE_BYTES) / MB).toFixed(0)} MB each way, unchanged and in order`,
      ),
      judge(
        share >= SPEED_MIN,
        `${percent(share)} of the speed of bare http-proxy-middleware; the bar is ${percent(SPEED_MIN)}`,
      ),
    ].every(Boolean);
  },
};

interface Bench extends AsyncDisposable {
  readonly gateway: Contestant;
  readonly token: string;
  readonly masonUrl: string;
  readonly devices: readonly string[];
}

async function openBench(): Promise<Bench> {
  provideTools();
  await using stack = new AsyncDisposableStack();
  const simulator = stack.use(
    await spawnSimulator(['--devices', String(SESSIONS), '--key', `${MASON_KEY}=account:owner`]),
  );
  const gateway = stack.use(
    await startGatewayProcess({
      masonUrl: simulator.url,
      key: MASON_KEY,
      limit: '1000/1s',
      apps: [APP],
      scopes: ['account:owner'],
      effects: 'disruptive',
      core: PROXY_CORE,
    }),
  );
  const token = gateway.tokens.get(APP) as string;
  const list = await fetch(`${gateway.url}/v1/default/device?limit=${SESSIONS}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const devices = ((await list.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
  const rest = stack.move();
  return { gateway, token, masonUrl: simulator.url, devices, [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose]() };
}

async function fullSpeed(
  { url, pid }: Contestant,
  token: string,
  device: string,
  pieces: number,
): Promise<{ speed: number; cpu: number; isWhole: boolean }> {
  const session = await Session.open(url, token, device);
  const [cpu, from] = [processorMs(pid), performance.now()];
  await session.talkFast(pieces);
  const seconds = (performance.now() - from) / 1_000;
  const bytes = session.heardBytes;
  session.close();
  return { speed: bytes / seconds, cpu: (processorMs(pid) - cpu) / 1_000 / (bytes / 1e9), isWhole: session.isWhole };
}

/** One caller and what it hears back: each piece begins with its number, and both ways are hashed. */
class Session {
  heardBytes = 0;
  readonly delaysMs: number[] = [];
  readonly #socket: WebSocket;
  readonly #sent = createHash('sha256');
  readonly #heard = createHash('sha256');
  readonly #sentAt: number[] = [];
  #sentPieces = 0;
  #heardPieces = 0;
  #isInOrder = true;
  isWhole = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => isBinary && this.#onPiece(data));
  }

  static async open(url: string, token: string, device: string): Promise<Session> {
    const headers = { authorization: `basic ${token}` };
    const at = `${url.replace(/^http/, 'ws')}/v1/global/xray/${device}/adb`;
    const socket = new WebSocket(at, { headers, perMessageDeflate: false });
    await once(socket, 'open');
    return new Session(socket);
  }

  async talkSteadily(runMs: number, own: number): Promise<void> {
    const everyMs = 1_000 / PIECES_PER_SECOND;
    // Not all at the same instant.
    const from = performance.now() + (own % PIECES_PER_SECOND) * (everyMs / PIECES_PER_SECOND);
    for (let piece = 0; piece < runMs / everyMs; piece++) {
      await sleep(Math.max(0, from + piece * everyMs - performance.now()));
      this.#send(Buffer.alloc(PIECE_BYTES, (own * 7 + piece) % 256));
    }
    await this.#allBack();
  }

  async talkFast(pieces: number): Promise<void> {
    for (let piece = 0; piece < pieces; piece++) {
      this.#send(Buffer.alloc(FULL_PIECE_BYTES, piece % 251));
      while (this.#socket.bufferedAmount > UNSENT_BYTES_MAX) await new Promise(setImmediate);
    }
    await this.#allBack();
  }

  close(): void {
    this.#socket.close();
  }

  #send(piece: Buffer): void {
    piece.writeUInt32BE(this.#sentPieces++, 0);
    this.#sent.update(piece);
    this.#sentAt.push(performance.now());
    this.#socket.send(piece);
  }

  #onPiece(piece: Buffer): void {
    const number = piece.readUInt32BE(0);
    this.#isInOrder &&= number === this.#heardPieces;
    this.delaysMs.push(performance.now() - (this.#sentAt[number] ?? Number.NaN));
    this.#heardPieces++;
    this.heardBytes += piece.length;
    this.#heard.update(piece);
  }

  async #allBack(): Promise<void> {
    while (this.#heardPieces < this.#sentPieces && this.#socket.readyState === WebSocket.OPEN) await sleep(5);
    this.isWhole =
      this.#isInOrder &&
      this.#heardPieces === this.#sentPieces &&
      this.#heard.digest('hex') === this.#sent.digest('hex');
  }
}

function at(sorted: readonly number[], part: number): string {
  return (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(1);
}
