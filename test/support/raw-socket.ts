import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { type RawAnswer, readAnswer } from './raw-answer.ts';

/** How the other side ended: a FIN after its last byte, or a RST. */
export type RawEnd = 'end' | 'reset';

/** Far beyond anything that should happen: turns a hang into a failure that says what was heard. */
const PATIENCE_MS = 15_000;

/**
 * One TCP connection on which a test writes bytes as they stand, in pieces when it likes, and reads answers strictly. Text
 * stands for latin1: one character a byte.
 */
export class RawSocket implements Disposable {
  readonly #socket: Socket;
  #heard: Buffer = Buffer.alloc(0);
  #end: RawEnd | undefined;
  #listeners: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, bytes]);
      this.#tell();
    });
    socket.on('end', () => this.#ended('end'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', () => this.#ended('reset'));
  }

  static open(port: number): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawSocket(socket)));
    });
  }

  /**
   * The same inside TLS, whoever's certificate it is.
   *
   * @throws when there is no handshake
   */
  static openTls(port: number, options: ConnectionOptions = {}): Promise<RawSocket & { readonly tls: TLSSocket }> {
    return new Promise((resolve, reject) => {
      const ours = { port, host: '127.0.0.1', allowHalfOpen: true, rejectUnauthorized: false };
      const tls = connectTls({ ...ours, ...options });
      tls.once('error', reject);
      tls.once('secureConnect', () => resolve(Object.assign(new RawSocket(tls), { tls })));
    });
  }

  /** Writes pieces, each in a segment of its own; settles when the last was handed to the system. Never fails: the other side may close. */
  async write(...pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      if (!this.#socket.writable) return;
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()));
      await new Promise(setImmediate);
    }
  }

  /** All that was heard and not yet taken by {@link answer}, latin1. */
  get rest(): string {
    return this.#heard.toString('latin1');
  }

  /**
   * The next final answer, its interim answers beside it.
   *
   * @param method of the request it answers: HEAD has no body
   * @throws when the other side ends without one, or what it says is no HTTP/1.1
   */
  async answer(method = 'GET'): Promise<RawAnswer> {
    let found: ReturnType<typeof readAnswer>;
    await this.#until('an answer', () => {
      found = readAnswer(this.#heard, this.#end !== undefined, method);
      return found !== undefined || this.#end !== undefined;
    });
    if (found === undefined) throw new Error(`the connection ended (${this.#end}) with ${this.#shown()}`);
    this.#heard = this.#heard.subarray(found.bytes);
    return found.answer;
  }

  /** Waits for the other side's end. */
  async closed(): Promise<RawEnd> {
    await this.#until('the end of the connection', () => this.#end !== undefined);
    return this.#end as RawEnd;
  }

  /** Waits until this text was heard. */
  heard(text: string): Promise<void> {
    return this.#until(JSON.stringify(text), () => this.rest.includes(text));
  }

  get isClosed(): boolean {
    return this.#end !== undefined;
  }

  /** Reads nothing more until {@link resume}: the window closes. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** FIN: nothing more will be sent, answers are still heard. */
  end(): void {
    this.#socket.end();
  }

  /** RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #ended(end: RawEnd): void {
    this.#end ??= end;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #until(what: string, holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        this.#listeners = this.#listeners.filter((listener) => listener !== check);
        if (error === undefined) resolve();
        else reject(error);
      };
      const check = (): void => {
        try {
          if (holds()) settle();
        } catch (error) {
          settle(error);
        }
      };
      const timer = setTimeout(() => settle(new Error(`waited for ${what}, heard ${this.#shown()}`)), PATIENCE_MS);
      this.#listeners.push(check);
      check();
    });
  }

  #shown(): string {
    return JSON.stringify(this.rest.slice(0, 500));
  }
}
