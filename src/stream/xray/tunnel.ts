import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from '../../domain/clock.ts';
import type { StreamEnd } from '../../domain/event.ts';
import { Direction } from './direction.ts';
import { Heartbeat, type HeartbeatBounds } from './heartbeat.ts';
import { closeFrame, type OwnCloseCode, pingFrame } from './own-frames.ts';

export interface TunnelBounds extends HeartbeatBounds {
  /** How long both sides have for closing, once one of them, or the gateway, began to. */
  readonly closeMs: number;
}

/** How long a frame that is passing may take to its end when the gateway ends the session: nothing passes after that. */
const FRAME_MS_MAX = 250;
/** RFC 6455 section 7.1.5: the connection ended without a close frame. */
const CODE_ABNORMAL = 1006;

/**
 * Stands in the caller's place towards http-proxy-middleware, which joins it to Mason's connection. So every byte of both ways
 * passes here, with the pressure back that each side makes; frames of ours go in between two of theirs; and what the library
 * would say to the caller by itself, before there is a session, goes nowhere.
 */
export class Tunnel extends Duplex {
  /** Settles when both connections are closed; never while there is no session. */
  readonly ended: Promise<StreamEnd>;
  readonly #caller: Socket;
  readonly #clock: Clock;
  readonly #bounds: TunnelBounds;
  readonly #settle: (end: StreamEnd) => void;
  readonly #toCaller: Direction;
  readonly #toMason: Direction;
  readonly #timers: (() => void)[] = [];
  #heartbeat: Heartbeat | undefined;
  #mason: Socket | undefined;
  #openedAt = 0;
  #ending: Pick<StreamEnd, 'closedBy' | 'closeCode' | 'reason'> | undefined;
  #isHeadDue = false;
  #hasEndedToMason = false;
  #isForced = false;

  constructor(caller: Socket, clock: Clock, bounds: TunnelBounds) {
    // Its two halves end with the two connections, each in its time.
    super({ autoDestroy: false });
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    this.#settle = resolve;
    this.#caller = caller;
    this.#clock = clock;
    this.#bounds = bounds;
    this.#toCaller = new Direction((bytes) => caller.write(bytes));
    this.#toMason = new Direction((bytes) => this.#hasEndedToMason || this.push(bytes));
  }

  /** What passed from the caller, and to it. */
  get bytes(): { readonly in: number; readonly out: number } {
    return { in: this.#toMason.bytes, out: this.#toCaller.bytes };
  }

  /**
   * Mason has switched: from here on the caller's connection is the session's.
   *
   * @param head of the answer to the caller, latin1
   */
  open(mason: Socket, head: string): void {
    this.#mason = mason;
    this.#openedAt = this.#clock.now();
    // The library writes one of its own, with all that Mason said.
    this.#isHeadDue = true;
    const caller = this.#caller;
    caller.write(head, 'latin1');
    caller.on('data', (piece: Buffer) => this.#onCallerData(piece));
    caller.on('end', () => {
      this.#begun('caller', CODE_ABNORMAL);
      this.#endToMason();
    });
    caller.on('close', () => this.#onClose('caller'));
    mason.on('close', () => this.#onClose('mason'));
    this.#heartbeat = new Heartbeat(this.#clock, this.#bounds, {
      passed: () => this.#toCaller.frames.dataBytes + this.#toMason.frames.dataBytes,
      isPaused: (side) => (side === 'caller' ? caller.isPaused() : this.writableNeedDrain || caller.writableNeedDrain),
      ask: (side) => (side === 'caller' ? this.#toCaller.say(pingFrame(false)) : this.#toMason.say(pingFrame(true))),
      end: (reason, words) => this.close(1001, words, reason),
    });
  }

  /** Ends the session: a close frame to both sides, nothing of theirs passes behind it. Nothing happens while it ends already. */
  close(code: OwnCloseCode, words: string, reason: string): void {
    if (this.#ending !== undefined) return;
    this.#begun('gateway', code, reason);
    this.#toCaller.sayLast(closeFrame(code, words, false));
    this.#toMason.sayLast(closeFrame(code, words, true));
    this.#after(FRAME_MS_MAX, () => {
      if (this.#toCaller.hasOwn || this.#toMason.hasOwn) this.#cut();
    });
  }

  // The library sets these on what it takes for the caller's socket.
  setTimeout(): this {
    return this;
  }

  setNoDelay(isSet: boolean): this {
    this.#caller.setNoDelay(isSet);
    return this;
  }

  setKeepAlive(isSet: boolean, delayMs: number): this {
    this.#caller.setKeepAlive(isSet, delayMs);
    return this;
  }

  override _read(): void {
    if (this.#mason !== undefined) this.#caller.resume();
  }

  override _write(piece: Buffer, _encoding: unknown, done: () => void): void {
    if (this.#mason === undefined || this.#isHeadDue) {
      this.#isHeadDue = false;
      done();
      return;
    }
    this.#heartbeat?.heard('mason');
    const mayGoOn = this.#toCaller.pass(piece);
    this.#look();
    if (mayGoOn || this.#toCaller.isClosed) done();
    else this.#caller.once('drain', done);
  }

  override _final(done: () => void): void {
    if (this.#mason !== undefined) {
      this.#begun('mason', CODE_ABNORMAL);
      this.#caller.end();
    }
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#mason !== undefined) this.#cut();
    done(error);
  }

  #onCallerData(piece: Buffer): void {
    this.#heartbeat?.heard('caller');
    const mayGoOn = this.#toMason.pass(piece);
    this.#look();
    if (!mayGoOn && !this.#toMason.isClosed) this.#caller.pause();
  }

  /** After each piece: whether somebody said that the session ends. */
  #look(): void {
    const { closeCode: callerCode } = this.#toMason.frames;
    const { closeCode: masonCode } = this.#toCaller.frames;
    if (callerCode !== undefined) this.#begun('caller', callerCode);
    if (masonCode !== undefined) this.#begun('mason', masonCode);
    if (this.#ending?.closedBy !== 'gateway') return;
    // Their answers to our close frame: nothing is to come behind them.
    if (callerCode !== undefined) this.#caller.end();
    if (masonCode !== undefined) this.#endToMason();
  }

  /** The end has begun; only who began it counts. Whoever does not get to it in time is cut off. */
  #begun(closedBy: StreamEnd['closedBy'], closeCode: number, reason?: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = { closedBy, closeCode, reason };
    this.#heartbeat?.[Symbol.dispose]();
    this.#after(this.#bounds.closeMs, () => this.#cut());
  }

  #onClose(side: 'caller' | 'mason'): void {
    this.#begun(side, CODE_ABNORMAL);
    if (side === 'caller') this.#endToMason();
    else this.#caller.end();
    if (!this.#caller.closed || this.#mason?.closed !== true || this.#ending === undefined) return;
    for (const cancel of this.#timers.splice(0)) cancel();
    this.#settle({ openMs: this.#clock.now() - this.#openedAt, ...this.#ending });
    this.destroy();
  }

  #endToMason(): void {
    if (this.#hasEndedToMason) return;
    this.#hasEndedToMason = true;
    this.push(null);
  }

  #cut(): void {
    if (this.#isForced) return;
    this.#isForced = true;
    this.#begun('gateway', CODE_ABNORMAL);
    this.#caller.destroy();
    this.#mason?.destroy();
  }

  #after(delayMs: number, act: () => void): void {
    this.#timers.push(this.#clock.after(delayMs, act));
  }
}
