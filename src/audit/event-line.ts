import { hash } from 'node:crypto';
import type { Actor, AdminEvent, Attempt, IntentEvent, OutcomeEvent, RecordEvent } from '../domain/event.ts';
import type { Target } from '../domain/operation.ts';
import { boundedNumber, boundedText, canonicalJson, maskTokens } from './canonical-json.ts';

const NAME_CHARS_MAX = 128;
const PATH_CHARS_MAX = 1024;
const TARGET_CHARS_MAX = 256;
const DETAIL_CHARS_MAX = 256;
const DETAILS_MAX = 32;
const DETAIL_KEY_CHARS_MAX = 64;
const ATTEMPTS_MAX = 32;
/** The last instant that JavaScript's Date knows. */
const EPOCH_MS_MAX = 8.64e15;

/**
 * An event as it goes to the writer: its canonical bytes (only fields named here, in this order, bounded and masked) and,
 * where it has targets, a second line: a JSON list of kind, name, kind, name …, sorted. Each line ends in a line feed.
 */
export function eventLine(event: RecordEvent): string {
  if (event.kind === 'admin') return `${canonicalJson(adminFields(event))}\n`;
  if (event.targets === undefined || event.targets.length === 0) return `${canonicalJson(callFields(event))}\n`;
  const targets = canonicalJson(sortedTargets(event.targets));
  const summary = { count: event.targets.length, sha256: hash('sha256', targets, 'hex') };
  return `${canonicalJson(callFields(event, summary))}\n${targets}\n`;
}

function callFields(event: IntentEvent | OutcomeEvent, targets?: { count: number; sha256: string }): object {
  const outcome = event.kind === 'intent' ? undefined : event;
  return {
    v: 1,
    kind: boundedText(event.kind, NAME_CHARS_MAX),
    at: instant(event.at),
    requestId: boundedText(event.requestId, NAME_CHARS_MAX),
    actor: actorFields(event.actor),
    teamId: boundedText(event.teamId, NAME_CHARS_MAX),
    team: boundedText(event.team, NAME_CHARS_MAX),
    method: boundedText(event.method, NAME_CHARS_MAX),
    path: boundedText(event.path, PATH_CHARS_MAX),
    operation: boundedText(event.operation, NAME_CHARS_MAX),
    effect: boundedText(event.effect, NAME_CHARS_MAX),
    targets,
    keyFingerprint: boundedText(event.keyFingerprint, NAME_CHARS_MAX),
    callerRequestId: boundedText(event.callerRequestId, NAME_CHARS_MAX),
    result: boundedText(outcome?.result, NAME_CHARS_MAX),
    status: boundedNumber(outcome?.status, 0),
    errorSource: boundedText(outcome?.errorSource, NAME_CHARS_MAX),
    errorCode: boundedText(outcome?.errorCode, NAME_CHARS_MAX),
    attempts: outcome?.attempts?.slice(0, ATTEMPTS_MAX).map(attemptFields),
    queueMs: boundedNumber(outcome?.queueMs, 3),
    masonMs: boundedNumber(outcome?.masonMs, 3),
    gatewayMs: boundedNumber(outcome?.gatewayMs, 3),
    bytesIn: boundedNumber(outcome?.bytesIn, 0),
    bytesOut: boundedNumber(outcome?.bytesOut, 0),
  };
}

function adminFields(event: AdminEvent): object {
  return {
    v: 1,
    kind: event.kind,
    at: instant(event.at),
    requestId: boundedText(event.requestId, NAME_CHARS_MAX),
    actor: actorFields(event.actor),
    teamId: boundedText(event.teamId, NAME_CHARS_MAX),
    team: boundedText(event.team, NAME_CHARS_MAX),
    act: boundedText(event.act, NAME_CHARS_MAX),
    details: detailFields(event.details),
    result: boundedText(event.result, NAME_CHARS_MAX),
    errorCode: boundedText(event.errorCode, NAME_CHARS_MAX),
  };
}

function actorFields(actor: Actor): object {
  return {
    kind: boundedText(actor.kind, NAME_CHARS_MAX),
    appId: boundedText(actor.appId, NAME_CHARS_MAX),
    app: boundedText(actor.app, NAME_CHARS_MAX),
    tokenId: boundedText(actor.tokenId, NAME_CHARS_MAX),
    account: boundedText(actor.account, NAME_CHARS_MAX),
    address: boundedText(actor.address, NAME_CHARS_MAX),
  };
}

function attemptFields(attempt: Attempt): object {
  return {
    startMs: boundedNumber(attempt.startMs, 3),
    durationMs: boundedNumber(attempt.durationMs, 3),
    status: boundedNumber(attempt.status, 0),
    failure: boundedText(attempt.failure, NAME_CHARS_MAX),
  };
}

/** Details in the order of their names, whatever the order in which the act gave them. */
function detailFields(details: AdminEvent['details']): object {
  const fields: Record<string, string | number | boolean | undefined> = {};
  for (const name of Object.keys(details).sort().slice(0, DETAILS_MAX)) {
    const value = details[name];
    fields[detailName(name)] =
      typeof value === 'boolean' ? value : (boundedNumber(value, 3) ?? boundedText(value, DETAIL_CHARS_MAX));
  }
  return fields;
}

function instant(at: number): number {
  return Math.min(Math.max(boundedNumber(at, 0) ?? 0, 0), EPOCH_MS_MAX);
}

/** A name that begins with a letter: `7` would be moved to the front by JavaScript, `__proto__` would vanish. */
function detailName(name: string): string {
  const plain = maskTokens(name.slice(0, DETAIL_KEY_CHARS_MAX)).replace(/[^A-Za-z0-9._-]/g, '_');
  return /^[A-Za-z]/.test(plain) ? plain : `x${plain}`.slice(0, DETAIL_KEY_CHARS_MAX);
}

function sortedTargets(targets: readonly Target[]): string[] {
  const bounded = targets.map((target) => ({
    kind: boundedText(target.kind, NAME_CHARS_MAX) ?? '',
    name: boundedText(target.name, TARGET_CHARS_MAX) ?? '',
  }));
  if (bounded.length > 1) bounded.sort((a, b) => order(a.kind, b.kind) || order(a.name, b.name));
  return bounded.flatMap((target) => [target.kind, target.name]);
}

/** By UTF-16 units; a locale's order would differ from machine to machine. */
function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
