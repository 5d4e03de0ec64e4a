import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { askMason } from '../../src/call/ask-mason.ts';
import { Call } from '../../src/call/call.ts';
import { joinLine } from '../../src/call/join-line.ts';
import { Joins } from '../../src/call/joins.ts';
import { KeyHealth } from '../../src/call/key-health.ts';
import { RetryBudget } from '../../src/call/retry-budget.ts';
import type { WalkRooms } from '../../src/call/walk.ts';
import type { AppCaller } from '../../src/domain/caller.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import type { LeaveSignal } from '../../src/domain/lane.ts';
import type { OpenedKey } from '../../src/domain/mason-key.ts';
import { Secret } from '../../src/domain/secret.ts';
import { FairLane } from '../../src/lane/fair-lane.ts';
import { AnswerBody } from '../../src/mason/answer-body.ts';
import { OPERATIONS } from '../../src/mason/operations.ts';
import { RouteTable } from '../../src/mason/route-table.ts';
import { type Answer, type Outgoing, SendFailure } from '../../src/mason/send.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

/** How Mason answers one request. */
export interface Reply {
  readonly afterMs: number;
  /** A failure of the wire instead of an answer. */
  readonly status: number | 'reset';
  /** Bytes after the line that tells the answer's number, in pieces of 40,000. */
  readonly moreBytes: number;
  readonly eachPieceMs: number;
  /** The body ends in the middle. */
  readonly breaksOff: boolean;
}

export const AT_ONCE: Reply = { afterMs: 20, status: 200, moreBytes: 0, eachPieceMs: 0, breaksOff: false };

export interface Visit {
  readonly app?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly waitSeconds?: number;
  /** How long it takes to look whether it is still allowed. */
  readonly checkMs?: number;
  /** How long its caller takes before it reads. */
  readonly readsAfterMs?: number;
}

/** One call: how it began and, once it has, how it ended. */
export interface Visitor {
  readonly call: Call;
  /** Number of Mason's last answer before it came. */
  readonly cameAfter: number;
  readonly leave: () => void;
  /** From now on its token holds no more. */
  readonly revoke: () => void;
  /** What it got; more than one would be a fault. */
  readonly ends: { status?: number; query?: string; number?: number; bytes?: number; error?: string }[];
}

const PIECE_BYTES = 40_000;
const ROUTES = new RouteTable(OPERATIONS);
const PATH = '/v1/default/device';

class CountedRetries extends RetryBudget {
  earned = 0;

  override earn(): void {
    this.earned += 1;
    super.earn();
  }
}

/** A line, calls in it, and a Mason that numbers what it is asked; no time passes but the test's. */
export class WaitingCalls {
  readonly clock = new VirtualClock();
  readonly joins: Joins;
  readonly lane: FairLane;
  readonly asked: string[] = [];
  readonly retries = new CountedRetries();
  readonly #rooms: WalkRooms;
  readonly #replies: Reply[];
  #key: OpenedKey = {
    ...{ id: 'key-1', fingerprint: 'f-1', scopes: ['account:owner'], budgetId: 'budget-1' },
    secret: new Secret('a-key-of-masons'),
  };

  /** @param replies by the order in which Mason is asked; afterwards at once */
  constructor({
    replies = [],
    perSecond = 2,
    answersBytesMax = 10_000_000,
  }: { replies?: readonly Reply[]; perSecond?: number; answersBytesMax?: number } = {}) {
    this.joins = new Joins(answersBytesMax);
    this.#replies = [...replies];
    const { clock, joins, retries } = this;
    this.lane = new FairLane(
      {
        ...{ budgetId: 'budget-1', limit: { calls: perSecond, windowMs: 1_000 }, burst: 1, spreadMs: 10 },
        ...{ waitingCallsMax: 1_000, waitingBytesMax: 10_000_000, pauseMsMax: 60_000 },
      },
      clock,
    );
    this.#rooms = {
      ...{ clock, joins, retries, keyHealth: new KeyHealth(), lag: { since: () => false } },
      verdicts: { fresh: true, teamKeys: async () => [this.#key], noteKeyUse: () => {} },
      mason: { send: (outgoing: Outgoing, signal: LeaveSignal) => this.#answer(outgoing, signal) },
      bounds: {
        waitDefaultMs: 30_000,
        waitMaxMs: 120_000,
        totalMs: 120_000,
        bodyBytesMax: 0,
        errorBodyMsMax: 30_000,
        answerIdleMs: 30_000,
      },
    } as unknown as WalkRooms;
  }

  visit({
    app = 'app',
    query = '',
    headers = {},
    method = 'GET',
    waitSeconds = 60,
    checkMs = 0,
    readsAfterMs = 0,
  }: Visit = {}): Visitor {
    const req = { method, headers: { prefer: `wait=${waitSeconds}`, ...headers } } as unknown as IncomingMessage;
    const res = new EventEmitter() as unknown as ServerResponse;
    const call = new Call({ req, res, target: { path: PATH, query }, address: '127.0.0.1' }, this.clock, {
      closed: () => undefined,
    });
    let isRevoked = false;
    const caller: AppCaller = {
      ...{ kind: 'app', app: { id: app, name: app }, tokenId: 't', team: { id: 'team-1', slug: 'team' } },
      ...{ share: { id: app, weight: 1 }, urgencyMin: 0, scopes: ['account:owner'], effectCeiling: 'read' },
    };
    call.caller = caller;
    call.route = ROUTES.find(method, PATH);
    call.key = this.#key;
    call.credential = {
      ...{ kind: 'token', digest: 'd' },
      caller: async () => {
        await this.#wait(checkMs);
        if (isRevoked) throw new GatewayError('unauthenticated', 'revoked');
        return caller;
      },
    };
    const ends: Visitor['ends'] = [];
    this.#go(call, caller, readsAfterMs).then(
      (end) => ends.push(end),
      (error: Error & { code?: string; status?: number }) =>
        ends.push({ error: error.code ?? String(error.status ?? error) }),
    );
    return {
      ...{ call, ends, cameAfter: this.asked.length },
      leave: () => call.abort(new GatewayError('caller_gone', 'left')),
      revoke: () => {
        isRevoked = true;
      },
    };
  }

  async #go(call: Call, caller: AppCaller, readsAfterMs: number): Promise<Visitor['ends'][number]> {
    using place = joinLine(this.#rooms, call, caller, this.lane);
    const { status, body } = await askMason(this.#rooms, call, this.lane, place);
    await this.#wait(readsAfterMs);
    const text = (await body.collect(Number.POSITIVE_INFINITY)).toString('latin1');
    const [number, query] = text.slice(0, text.indexOf('\n')).split(' ');
    return { status, number: Number(number), query: query ?? '', bytes: text.length };
  }

  #wait(ms: number): Promise<void> | undefined {
    return ms === 0 ? undefined : new Promise<void>((resolve) => this.clock.after(ms, resolve));
  }

  #answer({ target, method }: Outgoing, signal: LeaveSignal): Promise<Answer> {
    const number = this.asked.push(`${method} ${target}`);
    const { afterMs, status, moreBytes, eachPieceMs, breaksOff } = this.#replies.shift() ?? AT_ONCE;
    const text = `${number} ${target.slice(PATH.length)}\n`;
    const left = new SendFailure('left', true, 'left');
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(left));
      this.clock.after(afterMs, () => {
        if (status === 'reset') {
          reject(new SendFailure('unreachable', true, 'reset'));
          return;
        }
        const body = new AnswerBody({ pause() {}, resume() {}, abort: () => body.fail(left) });
        signal.addEventListener('abort', () => body.fail(left));
        const pieces = [
          text,
          ...Array.from({ length: Math.ceil(moreBytes / PIECE_BYTES) }, () => 'x'.repeat(PIECE_BYTES)),
        ];
        const push = (): void => {
          body.push(Buffer.from(pieces.shift() as string));
          if (breaksOff && pieces.length === 0) body.fail(new SendFailure('unreachable', true, 'broke off'));
          else if (pieces.length === 0) body.end();
          else if (eachPieceMs === 0) push();
          else this.clock.after(eachPieceMs, push);
        };
        const headers = status === 429 ? { 'retry-after': '1' } : {};
        if (eachPieceMs === 0) push();
        else this.clock.after(eachPieceMs, push);
        resolve({ status, headers, body, firstByteMs: 1 });
      });
    });
  }

  /** The team's key is replaced; calls under way hear of it when they ask again. */
  rotate(): void {
    this.#key = { ...this.#key, fingerprint: 'f-2', secret: new Secret('another-key-of-masons') };
  }

  /** Lets time pass, and every answer be read. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let n = 0; n < 20; n++) await settled();
  }
}
