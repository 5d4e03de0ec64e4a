import type { EventColumns } from '../domain/archive.ts';

/**
 * What a line says that `eventLine` made.
 *
 * @throws SyntaxError when it is no JSON
 */
export function eventFields(line: string): EventFields {
  return JSON.parse(line);
}

/**
 * The columns beside an event, as its line says them: whoever writes a record takes them from here, and so does whoever
 * compares what stands there. An empty text is none.
 */
export function columnsOf(event: EventFields): EventColumns {
  const { actor } = event;
  return {
    at: event.at,
    kind: text(event.kind),
    teamId: text(event.teamId),
    team: text(event.team),
    appId: text(actor?.appId),
    app: text(actor?.app),
    personId: text(actor?.personId),
    tokenId: text(actor?.tokenId),
    keyFingerprint: text(event.keyFingerprint),
    operation: text(event.operation ?? event.act),
    effect: text(event.effect),
    status: Number.isSafeInteger(event.status) ? event.status : undefined,
    errorSource: text(event.errorSource),
    requestId: text(event.requestId),
  };
}

function text(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** What the columns, and usage, need of a line. */
export interface EventFields {
  readonly at: number;
  readonly kind?: string;
  readonly requestId?: string;
  readonly actor?: {
    readonly appId?: string;
    readonly app?: string;
    readonly tokenId?: string;
    readonly personId?: string;
  };
  readonly teamId?: string;
  readonly team?: string;
  readonly operation?: string;
  /** An administrative act is asked for like an operation. */
  readonly act?: string;
  readonly effect?: string;
  readonly keyFingerprint?: string;
  readonly status?: number;
  readonly errorSource?: string;
  readonly result?: string;
  readonly attempts?: readonly unknown[];
  readonly queueMs?: number;
  readonly masonMs?: number;
  readonly gatewayMs?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}
