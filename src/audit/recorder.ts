import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { RecordEvent } from '../domain/event.ts';
import type { RecordHealth } from '../domain/record.ts';
import { Backlog, type Intent } from './backlog.ts';
import { BatchPump, type BatchWriter } from './batch-pump.ts';
import { eventLine } from './event-line.ts';
import { stopLine } from './gateway-events.ts';
import { RoomQueue } from './room-queue.ts';

export interface RecorderOptions {
  readonly clock: Clock;
  readonly intentMsMax: number;
  readonly flushMsMax: number;
  readonly lagEventsMax: number;
  readonly lagBytesMax: number;
  readonly onProblem: (problem: string) => void;
}

/** The writing half of the record, on the main thread: makes lines of events, and says no when there is no hope for them. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #backlog: Backlog;
  readonly #pump: BatchPump;
  readonly #room: RoomQueue;
  #cancelFlush: (() => void) | undefined;
  #isClosed = false;

  constructor(options: RecorderOptions, writer: BatchWriter) {
    const { clock, intentMsMax, onProblem } = options;
    const onRoom = (): void =>
      this.#room.release(this.#pump.problem === undefined ? this.#backlog.roomEvents : Infinity);
    this.#options = options;
    this.#room = new RoomQueue(clock);
    this.#backlog = new Backlog(options.lagEventsMax, options.lagBytesMax);
    this.#pump = new BatchPump({ clock, stuckMs: intentMsMax, onProblem, onRoom }, this.#backlog, writer);
  }

  /** Tries whether writing is possible; settles when `health` knows. */
  probe(): Promise<void> {
    return this.#pump.probe();
  }

  /** See `AuditRecord.intend`. */
  intend(event: RecordEvent): Promise<void> {
    const problem = this.#isClosed ? 'the record is closed' : this.#pump.problem;
    if (problem !== undefined) return Promise.reject(this.#unavailable(problem));
    return new Promise((resolve, reject) => {
      const intent: Intent = {
        line: eventLine(event),
        settle: (failure) => {
          cancel();
          if (failure === undefined) resolve();
          else reject(this.#unavailable(failure));
        },
      };
      const cancel = this.#options.clock.after(this.#options.intentMsMax, () => {
        this.#backlog.removeIntent(intent);
        intent.settle(`not durable within ${this.#options.intentMsMax} ms`);
      });
      if (this.#backlog.addIntent(intent)) this.#pump.ask();
      else intent.settle('too much waits to be written');
    });
  }

  /** See `AuditRecord.append`. */
  append(event: RecordEvent): string {
    const line = eventLine(event);
    // Looked for first: it makes one piece of the many that a line is put together of, for whoever copies it then.
    const end = line.indexOf('\n');
    if (this.#isClosed) {
      this.#backlog.miss(1, event.at);
    } else {
      this.#backlog.add(line, event.at);
      if (this.#backlog.isReady) this.#pump.ask();
      else this.#cancelFlush ??= this.#options.clock.after(this.#options.flushMsMax, () => this.#flush());
    }
    return line.slice(0, end);
  }

  /** See `AuditRecord.room`. */
  room(): Promise<void> | undefined {
    // While writing fails, waiting makes no room: events are a gap at once, and reads keep their pace.
    if (this.#backlog.roomEvents > 0 || this.#pump.problem !== undefined) return undefined;
    return this.#room.wait();
  }

  /** Writes what is held, so that who asks finds it; settles when that is done or has failed, or after `msMax`. */
  settled(msMax: number): Promise<void> {
    if (this.#backlog.events === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(msMax, resolve);
      void this.#pump.flushed().then(() => {
        cancel();
        resolve();
      });
    });
  }

  health(): RecordHealth {
    const { problem } = this.#pump;
    const { gap, events, bytes } = this.#backlog;
    return { writable: problem === undefined, gap, lagEvents: events, lagBytes: bytes, problem };
  }

  /** Writes what is held and the chain's last event; settles when that is done, or an attempt has failed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelFlush?.();
    this.#backlog.addLast(stopLine(this.#options.clock.epochMs()));
    await this.#pump.drain();
  }

  #flush(): void {
    this.#cancelFlush = undefined;
    this.#pump.flush();
  }

  #unavailable(problem: string): GatewayError {
    return new GatewayError(
      'record_unavailable',
      'The record cannot be written now, and nothing is changed unrecorded.',
      {
        retryAfterMs: this.#pump.retryAfterMs,
        cause: new Error(problem),
      },
    );
  }
}
