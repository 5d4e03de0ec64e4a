import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../domain/clock.ts';
import type { Lane, Place } from '../domain/lane.ts';
import type { OpenedKey } from '../domain/mason-key.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { BrowserCallers } from '../domain/session.ts';
import type { BadTries } from '../http/bad-tries.ts';
import { readBody } from '../http/read-body.ts';
import type { RequestTarget } from '../http/request-target.ts';
import type { RouteTable } from '../mason/route-table.ts';
import type { Mason } from '../mason/send.ts';
import { allow } from './allow.ts';
import { announce } from './announce.ts';
import { askMason } from './ask-mason.ts';
import { chooseKey } from './choose-key.ts';
import { findTargets, targetsInPath } from './find-targets.ts';
import { type CallObserver, finish } from './finish.ts';
import { identify } from './identify.ts';
import { joinLine } from './join-line.ts';
import type { Joins } from './joins.ts';
import type { KeyHealth } from './key-health.ts';
import type { LoopLag } from './loop-lag.ts';
import type { OpenCalls } from './open-calls.ts';
import { redactorFor, relay } from './relay.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Strangers } from './strangers.ts';
import type { Verdicts } from './verdicts.ts';

/** The rooms that a call walks through. */
export interface WalkRooms {
  readonly clock: Clock;
  readonly calls: OpenCalls;
  readonly verdicts: Verdicts;
  readonly browsers: BrowserCallers;
  readonly tries: BadTries;
  readonly strangers: Strangers;
  readonly routes: RouteTable;
  readonly laneOf: (key: OpenedKey) => Lane | Promise<Lane>;
  readonly record: AuditRecord;
  readonly mason: Mason;
  readonly joins: Joins;
  readonly retries: RetryBudget;
  readonly keyHealth: KeyHealth;
  readonly lag: LoopLag;
  readonly observer: CallObserver;
  readonly bounds: WalkBounds;
}

export interface WalkBounds {
  readonly bodyBytesMax: number;
  readonly waitDefaultMs: number;
  readonly waitMaxMs: number;
  /** From the turn in the line to the last byte of the answer. */
  readonly totalMs: number;
  /** How long the body of an error of Mason's may take. */
  readonly errorBodyMsMax: number;
  /** How long a caller may leave the answer unread. */
  readonly answerIdleMs: number;
}

/**
 * The whole path of one API call. Each line is a step that gives something or throws a refusal; whatever a step takes is
 * given back on every way out.
 */
export async function walk(
  rooms: WalkRooms,
  req: IncomingMessage,
  res: ServerResponse,
  target: RequestTarget,
): Promise<void> {
  const call = rooms.calls.open(req, res, target);
  let place: Place | undefined;
  try {
    call.caller = await identify(rooms, call);
    call.route = rooms.routes.find(req.method ?? '', target.path);
    call.targets = targetsInPath(call.route);
    allow(call, call.caller);
    call.body = await readBody(call, rooms.bounds.bodyBytesMax);
    call.targets = findTargets(call, call.route);
    call.key = await chooseKey(rooms.verdicts, call.caller, call.operation);
    const lane = await rooms.laneOf(call.key);
    place = joinLine(rooms, call, call.caller, lane);
    await announce(rooms.record, call);
    const answer = await askMason(rooms, call, lane, place);
    await relay(
      call,
      answer,
      redactorFor(call.key),
      lane.share(call.caller.share.id, call.caller.share.weight),
      rooms.bounds.answerIdleMs,
    );
    finish(rooms, call, answer.status);
  } catch (error) {
    finish(rooms, call, error);
  } finally {
    // Without `using`, which costs a microsecond, and 200 bytes for each as long as the call waits.
    place?.[Symbol.dispose]();
    call[Symbol.dispose]();
  }
}
