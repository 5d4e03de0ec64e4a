import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../domain/clock.ts';
import { type ConnectOptions, connect } from './connect.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import { RedisFailure, toRedisFailure } from './redis-failure.ts';
import type { RedisScript } from './redis-script.ts';
import type { RedisSettings } from './redis-settings.ts';
import { serverProblems } from './server-problems.ts';

/** How often Redis is asked whether it is there. */
const BEAT_MS = 1_000;
/** For the key of the beat: nothing stays behind for long. */
const BEAT_KEPT_MS = 10_000;
/** Problems that are told; more of them would be the same with other words. */
const TOLD_MAX = 64;

export interface RedisHealth {
  /** `ready`: the last that was asked of it was answered, and it takes writes. */
  readonly state: 'ready' | 'away';
  /** Milliseconds since 1970: since when it is so. */
  readonly since: number;
  /** Why it is away, or was the last time, in words; undefined: it never was. */
  readonly problem: string | undefined;
  /** How far the clock of this machine is ahead of Redis', give or take half the round trip; undefined: never measured. */
  readonly clockAheadMs: number | undefined;
}

export interface RedisClientOptions {
  readonly settings: RedisSettings;
  readonly clock: Clock;
  /** Hears once what an operator must change: evicting keys, a server that is too old, something that Redis refuses to do. */
  readonly onProblem: (problem: string) => void;
}

type Argument = string | number | Uint8Array;

/**
 * The gateway's connection to Redis. Opening it does not wait for Redis and never fails; what is asked while Redis is away
 * fails at once or, when it is silent, after `commandMs`. When Redis is back it is used again, by itself.
 */
export class RedisClient implements Disposable {
  readonly keys: RedisKeys;
  readonly #settings: RedisSettings;
  readonly #clock: Clock;
  readonly #onProblem: (problem: string) => void;
  readonly #connection: Redis | Cluster;
  readonly #listeners: ((health: RedisHealth) => void)[] = [];
  readonly #told = new Set<string>();
  #health: RedisHealth;
  #cancelBeat: () => void = () => {};
  #closed = false;

  constructor({ settings, clock, onProblem }: RedisClientOptions) {
    this.keys = redisKeys(settings.keyPrefix);
    this.#settings = settings;
    this.#clock = clock;
    this.#onProblem = onProblem;
    const problem = 'Redis has not answered yet';
    this.#health = { state: 'away', since: clock.epochMs(), problem, clockAheadMs: undefined };
    this.#connection = connect(settings);
    this.#connection.on('error', (error: unknown) => this.#failed(toRedisFailure(error)));
    this.#connection.on('close', () => {
      // While it is away, what went wrong with each attempt says more.
      if (this.#health.state === 'ready') this.#failed(new RedisFailure('the connection to Redis was lost'));
    });
    this.#connection.on('ready', () => void this.#beat());
    this.#scheduleBeat();
  }

  health(): RedisHealth {
    return this.#health;
  }

  /** Calls back after each change between `ready` and `away`. */
  onChange(listener: (health: RedisHealth) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Runs a script, known to Redis or not. Its keys are the first arguments, all with one hash tag.
   *
   * @returns its answer: numbers, strings, null, lists of these
   * @throws RedisFailure
   */
  run(script: RedisScript, keysAndArguments: readonly Argument[]): Promise<unknown> {
    return this.#ask(script, asGiven(keysAndArguments), false);
  }

  /**
   * Like {@link RedisClient.run}, but with Buffers where `run` has strings.
   *
   * @throws RedisFailure
   */
  runForBytes(script: RedisScript, keysAndArguments: readonly Argument[]): Promise<unknown> {
    return this.#ask(script, asGiven(keysAndArguments), true);
  }

  /** Another connection with the same bounds, for what needs one of its own. Whoever asks for it ends it, and listens for errors. */
  connect(options: ConnectOptions = {}): Redis | Cluster {
    return connect(this.#settings, options);
  }

  /** Calls back with what is said in a channel from now on; what is said while Redis is away is lost. */
  listen(channel: string, onText: (text: string) => void): Disposable {
    const ears = this.connect();
    // That Redis is away is noticed by the connection that asks.
    ears.on('error', () => {});
    ears.on('ready', () => {
      ears.subscribe(channel).catch((error: unknown) => this.#tellRefused(toRedisFailure(error)));
    });
    ears.on('message', (_channel: string, text: string) => onText(text));
    return { [Symbol.dispose]: () => ears.disconnect() };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#cancelBeat();
    this.#connection.disconnect();
  }

  async #ask({ sha1, lua, numberOfKeys }: RedisScript, given: (string | Buffer)[], bytes: boolean): Promise<unknown> {
    const connection = this.#connection;
    try {
      const call = (command: string, script: string): Promise<unknown> =>
        bytes
          ? connection.callBuffer(command, script, numberOfKeys, ...given)
          : connection.call(command, script, numberOfKeys, ...given);
      const answer = await call('evalsha', sha1).catch((error: unknown) => {
        if (toRedisFailure(error).code !== 'NOSCRIPT') throw error;
        // It was restarted, or its scripts were flushed: EVAL makes it known again.
        return call('eval', lua);
      });
      this.#answered();
      return answer;
    } catch (error) {
      throw this.#failed(toRedisFailure(error));
    }
  }

  /** Asks for the time, and writes: an answer alone says nothing of a replica that takes no writes. */
  async #beat(): Promise<void> {
    this.#scheduleBeat();
    const connection = this.#connection;
    if (this.#closed || connection.status !== 'ready') return;
    const { keys } = this;
    try {
      const sent = this.#clock.now();
      const [[seconds, microseconds]] = await Promise.all([
        connection.time(),
        connection.set(keys.beat, '', 'PX', BEAT_KEPT_MS),
      ]);
      const halfWay = (this.#clock.now() - sent) / 2;
      const redisMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
      const clockAheadMs = Math.round(this.#clock.epochMs() - halfWay - redisMs);
      this.#health = { ...this.#health, clockAheadMs };
      if (this.#health.state === 'away') await this.#inspect();
      this.#answered();
    } catch (error) {
      this.#failed(toRedisFailure(error));
    }
  }

  #scheduleBeat(): void {
    this.#cancelBeat();
    if (!this.#closed) this.#cancelBeat = this.#clock.after(BEAT_MS, () => void this.#beat());
  }

  /** What a server says of itself may be another after each connection. */
  async #inspect(): Promise<void> {
    const info = await this.#connection.info();
    for (const problem of serverProblems(info)) this.#tell(problem);
  }

  #tell(problem: string): void {
    if (this.#closed || this.#told.has(problem) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(problem);
    this.#onProblem(problem);
  }

  #tellRefused({ refused, message }: RedisFailure): void {
    if (refused) this.#tell(`Redis refuses what it was asked: ${message}`);
  }

  #answered(): void {
    if (this.#health.state === 'away') this.#change({ state: 'ready' });
  }

  #failed(failure: RedisFailure): RedisFailure {
    this.#tellRefused(failure);
    if (failure.away && !this.#closed) {
      if (this.#health.state === 'ready') this.#change({ state: 'away', problem: failure.message });
      else this.#health = { ...this.#health, problem: failure.message };
    }
    return failure;
  }

  #change(to: Pick<RedisHealth, 'state'> & Partial<RedisHealth>): void {
    this.#health = { ...this.#health, ...to, since: this.#clock.epochMs() };
    for (const listener of this.#listeners) listener(this.#health);
  }
}

function asGiven(keysAndArguments: readonly Argument[]): (string | Buffer)[] {
  return keysAndArguments.map((each) => {
    if (typeof each === 'string') return each;
    if (typeof each === 'number') return String(each);
    return Buffer.from(each.buffer, each.byteOffset, each.byteLength);
  });
}
