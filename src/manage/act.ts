import { randomUUIDv7 } from 'node:crypto';
import type { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { type ErrorCode, GatewayError } from '../domain/errors.ts';
import type { Actor, AdminEvent } from '../domain/event.ts';
import type { AuditRecord } from '../domain/record.ts';
import { VaultError } from '../vault/vault-error.ts';
import { type Details, detailsOf } from './details.ts';
import { parseInput } from './input.ts';

/**
 * An administrative act: who, with what, and the request id under which it stands on record (a UUIDv7; made when absent).
 *
 * @throws GatewayError: `invalid_request`, `not_found`, `conflict`, `record_unavailable` (then nothing was done),
 * `store_unavailable`, `internal` when a seal does not open.
 */
export type Act<Answer> = (by: Actor, input?: unknown, requestId?: string) => Promise<Answer>;

/** What an act will do, once it is on record. */
export interface Plan<Answer> {
  readonly team?: { readonly id: string; readonly slug: string };
  /** What the input does not say itself; no secrets. */
  readonly details?: Details;
  carryOut(): Promise<Answer>;
}

/** What an act found out. */
export interface Finding<Answer> {
  readonly team?: { readonly id: string; readonly slug: string };
  readonly details?: Details;
  /** True when it is on record already, as with a reader who looks every second. */
  readonly silent?: boolean;
  readonly answer: Answer;
}

export interface ActDeps {
  readonly record: Pick<AuditRecord, 'append' | 'intend'>;
  readonly clock: Clock;
}

/**
 * An act that changes something: planned, then durably on record as intended, then carried out, then on record as done or
 * failed under the same request id. What cannot be recorded is not done; an intention without an end is of a gateway that
 * died in between, and nobody knows.
 */
export function changing<S extends z.ZodType, Answer>(
  deps: ActDeps,
  name: string,
  schema: S,
  plan: (input: z.output<S>, by: Actor) => Promise<Plan<Answer>>,
): Act<Answer> {
  return async (by, raw, requestId = randomUUIDv7()) => {
    let event = startOf(deps, name, by, requestId);
    try {
      const input = parseInput(schema, raw);
      event = { ...event, details: detailsOf(input) };
      const planned = await plan(input, by);
      event = { ...event, ...teamOf(planned), details: { ...event.details, ...planned.details } };
      await deps.record.intend({ ...event, result: 'intended' });
      const answer = await planned.carryOut();
      await noteDone(deps, { ...event, at: deps.clock.epochMs() });
      return answer;
    } catch (error) {
      throw failed(deps, event, error);
    }
  };
}

/** An act that only looks: on record, but not worth refusing an operator who must find out why the record cannot be written. */
export function looking<S extends z.ZodType, Answer>(
  deps: ActDeps,
  name: string,
  schema: S,
  look: (input: z.output<S>, by: Actor) => Promise<Finding<Answer>>,
): Act<Answer> {
  return async (by, raw, requestId = randomUUIDv7()) => {
    let event = startOf(deps, name, by, requestId);
    try {
      const input = parseInput(schema, raw);
      event = { ...event, details: detailsOf(input) };
      const found = await look(input, by);
      if (found.silent !== true) {
        deps.record.append({ ...event, ...teamOf(found), details: { ...event.details, ...found.details } });
      }
      return found.answer;
    } catch (error) {
      throw failed(deps, event, error);
    }
  };
}

/** It is done, whatever the record says now: an answer is owed. */
async function noteDone(deps: ActDeps, event: AdminEvent): Promise<void> {
  try {
    await deps.record.intend(event);
  } catch {
    deps.record.append(event);
  }
}

function startOf(deps: ActDeps, act: string, actor: Actor, requestId: string): AdminEvent {
  return { kind: 'admin', requestId, at: deps.clock.epochMs(), actor, act, details: {}, result: 'done' };
}

function teamOf(subject: { team?: { id: string; slug: string } }): { teamId?: string; team?: string } {
  return subject.team === undefined ? {} : { teamId: subject.team.id, team: subject.team.slug };
}

function failed(deps: ActDeps, event: AdminEvent, error: unknown): unknown {
  // A seal that does not open is the operator's to repair: the message is for them, and names no secret.
  const shown = error instanceof VaultError ? new GatewayError('internal', error.message, { cause: error }) : error;
  const errorCode: ErrorCode = shown instanceof GatewayError ? shown.code : 'internal';
  deps.record.append({ ...event, at: deps.clock.epochMs(), result: 'failed', errorCode });
  return shown;
}
