import type { KeptEvent } from '../domain/archive.ts';
import type { AdminEvent, CallFacts, Closes, OutcomeEvent, StoredEvent } from '../domain/event.ts';
import type { Target } from '../domain/operation.ts';

/** What was announced on record, and how it ended does not stand behind it. */
export interface OpenIntent {
  readonly requestId: string;
  /** An administrative act; undefined for a call. */
  readonly act: string | undefined;
  readonly place: Closes;
  readonly line: string;
  readonly targets: readonly string[];
}

/** Follows a chain, event by event. It holds as many as were under way at once. */
export class OpenIntents {
  readonly #chain: string;
  readonly #open = new Map<string, OpenIntent>();

  constructor(chain: string) {
    this.#chain = chain;
  }

  see({ seq, line, targets, columns }: KeptEvent): void {
    const { kind, requestId, operation } = columns;
    // Of an event whose bytes retention took nobody can say more.
    if (line === undefined || requestId === undefined) return;
    const act = kind === 'admin' ? operation : undefined;
    const key = `${act ?? ''} ${requestId}`;
    const isOpen = kind === 'intent' || (kind === 'admin' && line.includes(INTENDED));
    if (isOpen) this.#open.set(key, { requestId, act, place: { chain: this.#chain, seq }, line, targets });
    else this.#open.delete(key);
  }

  list(): OpenIntent[] {
    return [...this.#open.values()];
  }
}

/** Within a text of an event's line its quotes would be escaped. */
const INTENDED = ',"result":"intended"';

/** The end of it, as far as anybody knows. */
export function unknownEnd({ act, place, line, targets }: OpenIntent, at: number): OutcomeEvent | AdminEvent {
  const { v, kind, targets: digest, ...facts } = JSON.parse(line);
  if (act !== undefined) return { ...(facts as AdminEvent), kind: 'admin', at, result: 'unknown', closes: place };
  return {
    ...(facts as CallFacts),
    kind: 'outcome',
    at,
    targets: targetsIn(targets),
    result: 'unknown',
    status: 0,
    queueMs: 0,
    masonMs: 0,
    gatewayMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    closes: place,
  };
}

/** Whether an event says how an intent ended: a closer before did, or its own gateway, in another chain. */
export function isEndOf({ act, place }: OpenIntent, { chain, event }: StoredEvent): boolean {
  const isEnd =
    act === undefined
      ? event['kind'] === 'outcome' || event['kind'] === 'refused'
      : event['act'] === act && event['result'] !== 'intended';
  if (!isEnd || chain === place.chain) return false;
  const closes: Partial<Closes> | undefined = event['closes'] as Partial<Closes> | undefined;
  return closes === undefined || (closes.chain === place.chain && closes.seq === place.seq);
}

function targetsIn(names: readonly string[]): Target[] {
  const targets: Target[] = [];
  for (let at = 0; at + 1 < names.length; at += 2) {
    targets.push({ kind: names[at], name: names[at + 1] } as Target);
  }
  return targets;
}
