import type { StoredEvent } from '../domain/event.ts';
import { localTime } from './local-time.ts';
import { safeText } from './safe-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What the ends of calls mean. */
const RESULTS: Readonly<Record<string, string>> = {
  answered: 'Mason’s answer was passed on',
  not_sent: 'nothing reached Mason',
  unknown: 'it may have reached Mason, and nobody knows what became of it',
  failed: 'Mason gave no usable answer, and nothing was changed',
  aborted: 'Mason answered, and the caller left before all of it had arrived',
};

/**
 * What became of a call, or of an administrative act, for people: who asked for what, each attempt at Mason with its times, and
 * the end.
 *
 * @param stored all its events, oldest first
 */
export function storyLines(stored: readonly StoredEvent[]): string[] {
  const events = stored.map(({ event }) => event);
  const [first] = events;
  if (first === undefined) return [];
  const end = events.findLast(({ kind }) => kind === 'outcome' || kind === 'refused');
  const lines = first['kind'] === 'admin' ? events.map(actLine) : callLines(events, end);
  return lines.map((line) => safeText(line));
}

function callLines(events: readonly Fields[], end: Fields | undefined): string[] {
  const intent = events.find(({ kind }) => kind === 'intent');
  const facts = intent ?? end ?? {};
  return [
    `${when(facts)}  ${whoIn(facts)} asked for ${what(facts)}${targetsIn(facts)}.`,
    ...(intent === undefined ? [] : ['  It was on record before anything was sent.']),
    ...(end === undefined ? ['  How it ended is not on record: it is under way, or its gateway died.'] : endLines(end)),
  ];
}

function endLines(end: Fields): string[] {
  if (end['closes'] !== undefined) {
    return [`${when(end)}  The gateway had died: ${RESULTS['unknown']}. Its successor wrote this.`];
  }
  const attempts = Array.isArray(end['attempts']) ? end['attempts'].map((attempt) => Object(attempt) as Fields) : [];
  const joined = end['joined'];
  const said = [
    `status ${text(end['status'])}`,
    ...(end['errorCode'] === undefined ? [] : [text(end['errorCode'])]),
    ...(end['errorSource'] === undefined ? [] : [`said by ${text(end['errorSource'])}`]),
  ];
  const result =
    end['kind'] === 'refused' ? 'the gateway refused it' : (RESULTS[text(end['result'])] ?? text(end['result']));
  return [
    ...(joined === undefined ? [] : [`  It was given the answer to an equal call, ${text(joined)}.`]),
    ...attempts.map(attemptLine),
    `${when(end)}  The end: ${result} (${said.join(', ')}).`,
    `  In the line ${ms(end['queueMs'])}, at Mason ${ms(end['masonMs'])}, in the gateway ${ms(end['gatewayMs'])}; ` +
      `${text(end['bytesIn'])} bytes came, ${text(end['bytesOut'])} bytes went.`,
  ];
}

function attemptLine({ startMs, durationMs, status, failure }: Fields, place: number): string {
  const outcome = status === undefined ? `no answer (${text(failure)})` : `Mason answered ${text(status)}`;
  return `  Attempt ${place + 1}, ${ms(startMs)} after the call came: ${outcome}, after ${ms(durationMs)}.`;
}

function actLine(act: Fields): string {
  const { result, errorCode, team } = act;
  const end = result === 'failed' ? `failed (${text(errorCode)})` : text(result);
  const on = team === undefined ? '' : ` on the team ${text(team)}`;
  return `${when(act)}  ${whoIn({ actor: act['actor'] })}: ${text(act['act'])}${on}, ${end}.`;
}

function what(facts: Fields): string {
  const { operation, effect, method, path } = facts;
  const line = `${text(method)} ${text(path)}`;
  return operation === undefined
    ? line
    : `${text(operation)}${effect === undefined ? '' : ` (${text(effect)})`}, ${line}`;
}

function targetsIn({ targets }: Fields): string {
  const { count, list } = Object(targets) as { count?: unknown; list?: unknown };
  if (typeof count !== 'number') return '';
  const first = Array.isArray(list) ? (Object(list[0]) as Fields) : {};
  const named = first['name'] === undefined ? '' : `: ${text(first['kind'])} ${text(first['name'])}`;
  return `, on ${count} ${count === 1 ? 'target' : 'targets'}${named}${count > 1 && named !== '' ? ' and others' : ''}`;
}

function whoIn({ actor, team }: Fields): string {
  const { kind, app, person, account, address } = Object(actor) as Fields;
  const name = text(app ?? person ?? account ?? kind ?? 'somebody');
  const of = team === undefined ? '' : ` of ${text(team)}`;
  return `${name}${of}${address === undefined ? '' : ` at ${text(address)}`}`;
}

function when({ at }: Fields): string {
  return typeof at === 'number' ? localTime(at) : '?';
}

function ms(value: unknown): string {
  return typeof value === 'number' ? `${Math.round(value)} ms` : '?';
}

function text(value: unknown): string {
  return value === undefined || value === null ? '?' : String(value);
}
