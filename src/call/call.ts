import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Caller, PersonCaller } from '../domain/caller.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Attempt, StreamEnd } from '../domain/event.ts';
import type { Lane, LaneShare, LeaveSignal } from '../domain/lane.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import type { Target } from '../domain/operation.ts';
import type { RequestTarget } from '../http/request-target.ts';
import type { Route } from '../mason/route-table.ts';
import { CallSignal } from './call-signal.ts';
import type { Credential } from './credential.ts';

/** What came in at the door. */
export interface Arrival {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: RequestTarget;
  /** Of the caller. */
  readonly address: string;
}

/** Who came to the door: a caller, or somebody who signed in and for whom no team is chosen yet. */
export type Presented = Caller | (Pick<PersonCaller, 'kind' | 'person' | 'sessionId'> & { readonly team?: undefined });

/** A body on its way through, never held whole. */
export interface Upload {
  /** What came of it so far, bytes. */
  readonly bytes: number;
  readonly stream: Readable;
  /** As the caller announced it; undefined for one in chunks. */
  readonly length: string | undefined;
  /** Why it could not be read to its end, if so. */
  readonly failure: GatewayError | undefined;
  /** Mason wants no more of it. */
  stop(): void;
}

/** Knows which calls are under way. */
export interface CallKeeper {
  closed(call: Call): void;
}

/** One API call on its way through the walk: what is known of it so far, step by step. */
export class Call implements Disposable {
  /** In one piece: Node puts it together from thirteen, and keeps them while the call waits. */
  readonly id = randomUUIDv7().normalize();
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  target: RequestTarget;
  readonly address: string;
  /** Monotonic and wall clock instants at which it came. */
  readonly startedAt: number;
  readonly epochMs: number;

  caller: Caller | undefined;
  /** Whose token or session was presented, accepted or not: for the record. */
  presented: Presented | undefined;
  /** What it came with, well-formed; asked again when its turn comes. */
  credential: Credential | undefined;
  route: Route | undefined;
  body: Buffer | undefined;
  /** The body of a call that is streamed. */
  upload: Upload | undefined;
  targets: readonly Target[] = [];
  key: OpenedKey | undefined;
  /** Whether Mason refused the first key, and another one in its place was taken. */
  isKeyReplaced = false;
  /** The line of the key's budget; known from there on. */
  lane: Pick<Lane, 'share'> | undefined;
  /** Monotonic instant until which it may wait for a turn; known from the line on. */
  deadlineAt = Number.POSITIVE_INFINITY;
  /** Whether its intent is on record: then how it ended must follow. */
  intended = false;
  readonly attempts: Attempt[] = [];
  /** Request id of the equal call whose answer it was given. */
  joined: string | undefined;
  /** Whether any byte of any attempt may have reached Mason. */
  reached = false;
  /** Whether a change may have been made though nobody said so. */
  unsure = false;
  /** How the stream ended that was opened for it. */
  stream: StreamEnd | undefined;
  /** What came from the caller once it was a stream, bytes. */
  bytesIn = 0;
  queueMs = 0;
  masonMs = 0;
  bytesOut = 0;
  /** How often a Mason key was cut out of the answer. */
  redacted = 0;

  /** Its keeper's: where it stands among the open ones. */
  place = -1;

  readonly #signal = new CallSignal();
  readonly #clock: Clock;
  readonly #keeper: CallKeeper;
  #totalMs = 0;
  /** Monotonic instants. */
  #endsAt = Number.POSITIVE_INFINITY;
  #rightEndsAt = Number.POSITIVE_INFINITY;

  constructor({ req, res, target, address }: Arrival, clock: Clock, keeper: CallKeeper) {
    this.#keeper = keeper;
    this.req = req;
    this.res = res;
    this.target = target;
    this.address = address;
    this.#clock = clock;
    this.startedAt = clock.now();
    this.epochMs = clock.epochMs();
    res.on('close', () => {
      if (!res.writableFinished) this.abort(new GatewayError('caller_gone', 'the caller hung up'));
    });
  }

  /** The budget as the caller's app sees it now; known from the line on. */
  share(): LaneShare | undefined {
    return this.caller && this.lane?.share(this.caller.share.id, this.caller.share.weight);
  }

  /** Aborts when the caller leaves, its right is revoked, the total time is over, or the gateway ends. */
  get signal(): LeaveSignal {
    return this.#signal;
  }

  /** Ends the call wherever it is; only the first reason counts. */
  abort(reason: GatewayError): void {
    this.#signal.abort(reason);
  }

  /** Sets the time, from now, after which the call is over. */
  endsAfter(delayMs: number): void {
    this.#totalMs = delayMs;
    this.#endsAt = this.#clock.now() + delayMs;
  }

  /** Sets when the token or session that it came with ends, from now; a rotation may bring that nearer. */
  rightEndsAfter(delayMs: number): void {
    this.#rightEndsAt = this.#clock.now() + delayMs;
  }

  /** Ends the call if its time, or its right, is over. */
  checkTime(now: number): void {
    if (now >= this.#rightEndsAt) {
      this.abort(
        new GatewayError(
          'unauthenticated',
          `the ${this.caller?.kind === 'person' ? 'session' : 'gateway token'} ended while the call was under way`,
        ),
      );
    } else if (now >= this.#endsAt) {
      this.abort(new GatewayError('mason_timeout', `the call took longer than ${this.#totalMs} ms in all`));
    }
  }

  /** It has ended. */
  [Symbol.dispose](): void {
    this.#keeper.closed(this);
  }

  /** Milliseconds since it came. */
  elapsed(): number {
    return this.#clock.now() - this.startedAt;
  }

  /** The operation; only steps after the match ask for it. */
  get operation(): Route['operation'] {
    if (this.route === undefined) throw new Error('the operation is asked for before it is matched');
    return this.route.operation;
  }

  /** Whether it changes something at Mason: then it is on record before it is sent, and never sent twice. */
  get changes(): boolean {
    return this.route !== undefined && this.route.operation.effect !== 'read';
  }
}
