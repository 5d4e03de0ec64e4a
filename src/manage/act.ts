import { randomUUIDv7 } from 'node:crypto';
import type { z } from 'zod';
import type { Administrator } from '../domain/authority.ts';
import type { Clock } from '../domain/clock.ts';
import { type ErrorCode, GatewayError } from '../domain/errors.ts';
import type { Actor, AdminEvent } from '../domain/event.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { Store } from '../store/open-store.ts';
import { VaultError } from '../vault/vault-error.ts';
import { type Details, detailsOf } from './details.ts';
import { parseInput } from './input.ts';
import { type Need, type Reach, reachOf } from './reach.ts';

/**
 * An administrative act: who, with what, and the request id under which it stands on record (a UUIDv7; made when absent).
 *
 * @throws GatewayError: `invalid_request`, `forbidden`, `not_found`, `conflict`, `record_unavailable` (then nothing was done),
 * `store_unavailable`, `internal` when a seal does not open.
 */
export interface Act<Answer> {
  (by: Administrator, input?: unknown, requestId?: string): Promise<Answer>;
  readonly need: Need;
  /** What it takes, for who describes it. */
  readonly input: z.ZodType;
}

/** What every act says of itself: there is none without saying who may do it. */
export interface ActDefinition<S extends z.ZodType> {
  readonly name: string;
  readonly need: Need;
  readonly input: S;
  /** Fields of the input that name a person: they are not on record, where nothing could erase them. */
  readonly unrecorded?: readonly string[];
}

/** Who does an act, under which request id, and what is there for them. */
export interface Scene {
  readonly by: Administrator;
  readonly reach: Reach;
  readonly requestId: string;
}

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

/** An answer that comes piece by piece, of any size. Whoever asked for it reads it to its end, or lets go of it. */
export class TextAnswer {
  /** Media type. */
  readonly contentType: string;
  /** Each character is a byte. */
  readonly text: AsyncIterable<string>;

  constructor(contentType: string, text: AsyncIterable<string>) {
    this.contentType = contentType;
    this.text = text;
  }
}

/** What an act will tell, once it is on record. */
export interface Telling {
  readonly contentType: string;
  /** @returns text, with the number of events in it */
  pieces(): AsyncIterable<{ readonly text: string; readonly events: number }>;
}

export interface ActDeps {
  readonly store: Store;
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
  definition: ActDefinition<S>,
  plan: (input: z.output<S>, scene: Scene) => Promise<Plan<Answer>>,
): Act<Answer> {
  return act(deps, definition, async (input, scene, eventOf) => {
    const planned = await plan(input, scene);
    const event = eventOf(planned);
    await deps.record.intend({ ...event, result: 'intended' });
    const answer = await planned.carryOut();
    await noteDone(deps, { ...event, at: deps.clock.epochMs() });
    return answer;
  });
}

/** An act that only looks: on record, but not worth refusing an operator who must find out why the record cannot be written. */
export function looking<S extends z.ZodType, Answer>(
  deps: ActDeps,
  definition: ActDefinition<S>,
  look: (input: z.output<S>, scene: Scene) => Promise<Finding<Answer>>,
): Act<Answer> {
  return act(deps, definition, async (input, scene, eventOf) => {
    const found = await look(input, scene);
    const event = eventOf(found);
    if (found.silent !== true) deps.record.append(event);
    return found.answer;
  });
}

/**
 * An act that tells so much that it comes piece by piece: durably on record as intended before the first of it is read, and, with
 * how many events it told, when it came to its end, or to an end before that.
 */
export function telling<S extends z.ZodType>(
  deps: ActDeps,
  definition: ActDefinition<S>,
  plan: (input: z.output<S>, scene: Scene) => Promise<Telling>,
): Act<TextAnswer> {
  return act(deps, definition, async (input, scene, eventOf) => {
    const { contentType, pieces } = await plan(input, scene);
    const event = eventOf({});
    await deps.record.intend({ ...event, result: 'intended' });
    return new TextAnswer(contentType, counted(deps, event, pieces()));
  });
}

async function* counted(
  deps: ActDeps,
  event: AdminEvent,
  pieces: ReturnType<Telling['pieces']>,
): AsyncIterable<string> {
  let events = 0;
  let errorCode: ErrorCode | undefined = 'caller_gone';
  try {
    for await (const piece of pieces) {
      events += piece.events;
      yield piece.text;
    }
    errorCode = undefined;
  } catch (error) {
    errorCode = error instanceof GatewayError ? error.code : 'internal';
    throw error;
  } finally {
    const end = { ...event, at: deps.clock.epochMs(), details: { ...event.details, events } };
    deps.record.append(errorCode === undefined ? end : { ...end, result: 'failed', errorCode });
  }
}

type Subject = Pick<Plan<unknown>, 'team' | 'details'>;

/** @param perform is given what makes the event of what it found out; should it fail later, that stands on record too */
function act<S extends z.ZodType, Answer>(
  deps: ActDeps,
  { name, need, input: schema, unrecorded }: ActDefinition<S>,
  perform: (input: z.output<S>, scene: Scene, eventOf: (subject: Subject) => AdminEvent) => Promise<Answer>,
): Act<Answer> {
  const run = async (by: Administrator, raw?: unknown, requestId: string = randomUUIDv7()): Promise<Answer> => {
    let event = startOf(deps, name, by.actor, requestId);
    try {
      const input = parseInput(schema, raw);
      event = { ...event, details: detailsOf(input, unrecorded) };
      const scene = { by, reach: reachOf(deps.store, name, need, by.authority), requestId };
      return await perform(input, scene, (subject) => {
        event = { ...event, ...teamOf(subject), details: { ...event.details, ...subject.details } };
        return event;
      });
    } catch (error) {
      throw failed(deps, event, error);
    }
  };
  return Object.assign(run, { need, input: schema });
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

function teamOf({ team }: Subject): { teamId?: string; team?: string } {
  return team === undefined ? {} : { teamId: team.id, team: team.slug };
}

function failed(deps: ActDeps, event: AdminEvent, error: unknown): unknown {
  // A seal that does not open is the operator's to repair: the message is for them, and names no secret.
  const shown = error instanceof VaultError ? new GatewayError('internal', error.message, { cause: error }) : error;
  const errorCode: ErrorCode = shown instanceof GatewayError ? shown.code : 'internal';
  deps.record.append({ ...event, at: deps.clock.epochMs(), result: 'failed', errorCode });
  return shown;
}
