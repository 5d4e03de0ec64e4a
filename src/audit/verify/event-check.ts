import { hash } from 'node:crypto';
import type { EventColumns, KeptEvent, TakenOut } from '../../domain/archive.ts';
import { TAKING_ACTS } from '../../domain/archive.ts';
import { canonicalJson } from '../canonical-json.ts';
import { lineDigest } from '../chain.ts';
import { columnsOf, type EventFields } from '../event-columns.ts';

/** An event as it is checked; an export has no columns. */
export interface CheckedEvent extends Omit<KeptEvent, 'columns'> {
  readonly columns?: EventColumns;
}

/** What an event says that bears on other events. */
export interface EventMeaning {
  /** Where the run before stood. */
  readonly previous?: { readonly chain: string; readonly seq: number; readonly link: string };
  readonly taken?: TakenOut;
  /** The chain came to its end in order. */
  readonly isStop: boolean;
}

const PLAIN: EventMeaning = { isStop: false };
const RIGHT = { problems: [], meaning: PLAIN };
/** Without any of these an event has no targets, and means nothing for others: its bytes are all there is to check. */
const MAY_SAY_MORE = /"(?:targets|act)":/;

/** What is wrong with an event by itself, in words; and what it means for others. */
export function checkEvent(event: CheckedEvent): { problems: readonly string[]; meaning: EventMeaning } {
  const { line, digest, targets } = event;
  if (line === undefined) {
    const left = leftBeside(event);
    return { problems: left === '' ? [] : [`its bytes are gone, but beside it are left: ${left}`], meaning: PLAIN };
  }
  if (!isEqual(lineDigest(line), digest))
    return { problems: ['its bytes are not those that were written'], meaning: PLAIN };
  if (event.columns === undefined && targets.length === 0 && !MAY_SAY_MORE.test(line)) return RIGHT;
  const fields = parsed(line);
  if (fields === undefined) return { problems: ['it is no event'], meaning: PLAIN };
  const problems: string[] = [];
  const wrong = event.columns === undefined ? [] : differing(columnsOf(fields), event.columns);
  if (wrong.length > 0) problems.push(`beside it stands another ${wrong.join(', ')} than it says`);
  if (!areTargets(fields.targets, targets)) problems.push('its targets are not those that were written');
  return { problems, meaning: meaningOf(fields) };
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const COLUMNS = [
  'at',
  'kind',
  'teamId',
  'team',
  'appId',
  'app',
  'personId',
  'tokenId',
  'keyFingerprint',
  'operation',
  'effect',
  'status',
  'errorSource',
  'requestId',
] as const satisfies readonly (keyof EventColumns)[];

/** Of what lost its bytes only the instant stays, by which it has its place; whatever else stands there, nobody can prove. */
function leftBeside({ columns, targets }: CheckedEvent): string {
  const left: string[] = COLUMNS.filter((column) => column !== 'at' && columns?.[column] !== undefined);
  return (targets.length === 0 ? left : [...left, 'targets']).join(', ');
}

function differing(said: EventColumns, kept: EventColumns): string[] {
  return COLUMNS.filter((column) => said[column] !== kept[column]);
}

function areTargets(said: unknown, kept: readonly string[]): boolean {
  if (said === undefined) return kept.length === 0;
  const { count, sha256 } = Object(said) as { count?: unknown; sha256?: unknown };
  return count === kept.length / 2 && sha256 === hash('sha256', canonicalJson(kept), 'hex');
}

interface Fields extends EventFields {
  readonly targets?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly result?: string;
}

function parsed(line: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? (fields as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function meaningOf({ act, details, actor, result }: Fields): EventMeaning {
  if (act === undefined || details === undefined) return PLAIN;
  const isOwn = Object(actor).kind === 'gateway';
  if (isOwn && act === 'gateway.stop') return { isStop: true };
  if (isOwn && act === 'gateway.start' && details['previousChain'] !== undefined) {
    const previous = {
      chain: String(details['previousChain']),
      seq: Number(details['previousSeq']),
      link: String(details['previousLink']),
    };
    return { isStop: false, previous };
  }
  if (!TAKING_ACTS.has(act) || result === 'failed' || details['chain'] === undefined) return PLAIN;
  return {
    isStop: false,
    taken: {
      chain: String(details['chain']),
      firstSeq: Number(details['firstSeq']),
      lastSeq: Number(details['lastSeq']),
      taken: details['taken'] === 'bytes' ? 'bytes' : 'events',
      events: Number(details['events'] ?? 0),
    },
  };
}
