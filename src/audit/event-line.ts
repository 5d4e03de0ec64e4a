import { hash } from 'node:crypto';
import type {
  Actor,
  AdminEvent,
  Attempt,
  Closes,
  IntentEvent,
  OutcomeEvent,
  RecordEvent,
  StreamEnd,
} from '../domain/event.ts';
import type { Target } from '../domain/operation.ts';
import {
  boundedNumber,
  boundedText,
  canonicalJson,
  canonicalString,
  isCanonical,
  maskTokens,
} from './canonical-json.ts';

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
  if (event.targets === undefined || event.targets.length === 0) return `${callLine(event, '')}\n`;
  const targets = canonicalJson(sortedTargets(event.targets));
  const summary = `,"targets":{"count":${event.targets.length},"sha256":"${hash('sha256', targets, 'hex')}"}`;
  return `${callLine(event, summary)}\n${targets}\n`;
}

/** Piece by piece: an object for each event, and the walk over it, would cost more than all its pieces. */
function callLine(event: IntentEvent | OutcomeEvent, targets: string): string {
  return (
    `{"v":1,"kind":"${event.kind}","at":${instant(event.at)}${text('requestId', event.requestId)}` +
    `,"actor":${actorLine(event.actor)}${name('teamId', event.teamId)}${name('team', event.team)}` +
    `${name('method', event.method)}${text('path', event.path, PATH_CHARS_MAX)}${name('operation', event.operation)}` +
    `${name('effect', event.effect)}${targets}${name('keyFingerprint', event.keyFingerprint)}` +
    `${text('callerRequestId', event.callerRequestId)}${event.kind === 'intent' ? '' : endOf(event)}}`
  );
}

function endOf(event: OutcomeEvent): string {
  if (event.closes !== undefined) {
    return `${name('result', event.result)},"closes":${canonicalJson(closesFields(event.closes))}`;
  }
  return (
    `${name('result', event.result)}${number('status', event.status, 0)}${name('errorSource', event.errorSource)}` +
    `${name('errorCode', event.errorCode)}${text('joined', event.joined)}${attemptsLine(event.attempts)}` +
    `${number('queueMs', event.queueMs, 3)}${number('masonMs', event.masonMs, 3)}${number('gatewayMs', event.gatewayMs, 3)}` +
    `${number('bytesIn', event.bytesIn, 0)}${number('bytesOut', event.bytesOut, 0)}` +
    streamLine(event.stream)
  );
}

function streamLine(end: StreamEnd | undefined): string {
  if (end === undefined) return '';
  return (
    `${number('openMs', end.openMs, 3)}${name('closedBy', end.closedBy)}${number('closeCode', end.closeCode, 0)}` +
    name('closeReason', end.reason)
  );
}

function actorLine(actor: Actor): string {
  return (
    `{"kind":"${actor.kind}"${name('appId', actor.appId)}${name('app', actor.app)}${name('tokenId', actor.tokenId)}` +
    `${name('personId', actor.personId)}${name('sessionId', actor.sessionId)}` +
    `${name('account', actor.account)}${name('address', actor.address)}}`
  );
}

function attemptsLine(attempts: readonly Attempt[] | undefined): string {
  if (attempts === undefined) return '';
  let lines = '';
  for (const { startMs, durationMs, status, failure } of attempts.slice(0, ATTEMPTS_MAX)) {
    const fields = number('startMs', startMs, 3) + number('durationMs', durationMs, 3) + number('status', status, 0);
    lines += `,{${(fields + name('failure', failure)).slice(1)}}`;
  }
  return `,"attempts":[${lines.slice(1)}]`;
}

const NAMES_KEPT = 1_024;
const names = new Map<string, string>();

/** As {@link text}, for what many events share: to look at each of its characters again costs more than to find it. */
function name(field: string, value: string | undefined): string {
  if (typeof value !== 'string' || value.length > NAME_CHARS_MAX) return text(field, value);
  let known = names.get(value);
  if (known === undefined) {
    if (names.size >= NAMES_KEPT) names.clear();
    known = quoted(value);
    names.set(value, known);
  }
  return `,"${field}":${known}`;
}

/** A field with the comma before it, as `canonicalJson` writes it; nothing where there is no text. */
function text(field: string, value: unknown, charsMax = NAME_CHARS_MAX): string {
  const bounded = boundedText(value, charsMax);
  return bounded === undefined ? '' : `,"${field}":${quoted(bounded)}`;
}

function quoted(value: string): string {
  return isCanonical(value) ? `"${value}"` : canonicalString(value);
}

function number(name: string, value: unknown, decimals: 0 | 3): string {
  const bounded = boundedNumber(value, decimals);
  return bounded === undefined ? '' : `,"${name}":${bounded}`;
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
    closes: event.closes && closesFields(event.closes),
  };
}

function closesFields({ chain, seq }: Closes): object {
  return { chain: boundedText(chain, PATH_CHARS_MAX), seq: boundedNumber(seq, 0) };
}

function actorFields(actor: Actor): object {
  return {
    kind: boundedText(actor.kind, NAME_CHARS_MAX),
    appId: boundedText(actor.appId, NAME_CHARS_MAX),
    app: boundedText(actor.app, NAME_CHARS_MAX),
    tokenId: boundedText(actor.tokenId, NAME_CHARS_MAX),
    personId: boundedText(actor.personId, NAME_CHARS_MAX),
    sessionId: boundedText(actor.sessionId, NAME_CHARS_MAX),
    account: boundedText(actor.account, NAME_CHARS_MAX),
    address: boundedText(actor.address, NAME_CHARS_MAX),
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
