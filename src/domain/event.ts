import type { Effect } from './effect.ts';
import type { Target } from './operation.ts';

/** Who acted. */
export interface Actor {
  /**
   * `app`: by a token; `person`: by a browser session; `operator`: on this machine, through the command line; `gateway`: by
   * itself; `unknown`: nobody we know.
   */
  readonly kind: 'app' | 'person' | 'operator' | 'gateway' | 'unknown';
  readonly appId?: string | undefined;
  readonly app?: string | undefined;
  readonly tokenId?: string | undefined;
  /** Of people the record holds ids alone: what they are called stands apart, where it can be erased (`names.ts`). */
  readonly personId?: string | undefined;
  /** Public id of the session. */
  readonly sessionId?: string | undefined;
  /** Name of the operating system's account, for operators. */
  readonly account?: string | undefined;
  /** Address of the peer, as the socket or a trusted proxy says. */
  readonly address?: string | undefined;
}

/** One try at Mason. */
export interface Attempt {
  /** Milliseconds from the call's begin to the sending of this attempt. */
  readonly startMs: number;
  /** Milliseconds to the first byte of the answer, or to the failure. */
  readonly durationMs: number;
  /** Status that Mason answered; absent when it did not. */
  readonly status?: number | undefined;
  /** Why there was no answer: an error code of ours. */
  readonly failure?: string | undefined;
}

/** What all events of one call share. */
export interface CallFacts {
  /** UUIDv7 of the call; also answered as `Request-Id`. */
  readonly requestId: string;
  /** Milliseconds since 1970: when the call came for an intent, when it ended for an outcome. */
  readonly at: number;
  readonly actor: Actor;
  readonly teamId?: string | undefined;
  readonly team?: string | undefined;
  readonly method: string;
  /** Path without query, at most 1,024 characters. */
  readonly path: string;
  readonly operation?: string | undefined;
  readonly effect?: Effect | undefined;
  readonly targets?: readonly Target[] | undefined;
  /** Fingerprint of the Mason key. */
  readonly keyFingerprint?: string | undefined;
  /** The caller's own request id, at most 128 characters. */
  readonly callerRequestId?: string | undefined;
}

/** Durable before it is sent: a change that is about to go to Mason. */
export interface IntentEvent extends CallFacts {
  readonly kind: 'intent';
}

/** How a call ended. */
export interface OutcomeEvent extends CallFacts {
  /** `outcome`: Mason was asked, or was to be asked; `refused`: the gateway said no before that. */
  readonly kind: 'outcome' | 'refused';
  /**
   * `answered`: Mason's answer was relayed; `not_sent`: nothing reached Mason; `unknown`: a change may have reached Mason and
   * nobody knows what became of it; `failed`: Mason was asked and gave no usable answer, and nothing changed;
   * `aborted`: Mason answered, and the caller left before all of it arrived.
   */
  readonly result: 'answered' | 'not_sent' | 'unknown' | 'failed' | 'aborted';
  /** Status answered to the caller; 499 when the caller had left. */
  readonly status: number;
  readonly errorSource?: 'gateway' | 'mason' | undefined;
  /** Error code of ours, when it was one. */
  readonly errorCode?: string | undefined;
  /** Request id of the equal call whose answer it was given; it was not sent for it. */
  readonly joined?: string | undefined;
  readonly attempts?: readonly Attempt[] | undefined;
  /** Milliseconds in the line, at Mason, and in the gateway itself. */
  readonly queueMs: number;
  readonly masonMs: number;
  readonly gatewayMs: number;
  /** Bytes of the request's and of the answer's body. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of a stream that was opened: how it ended. */
  readonly stream?: StreamEnd | undefined;
  /**
   * The intent of a gateway that died: its successor says that nobody knows how it ended. Status, times and bytes are 0 then, and
   * do not stand on record.
   */
  readonly closes?: Closes | undefined;
}

/** Where an intent stands that was left open. */
export interface Closes {
  readonly chain: string;
  readonly seq: number;
}

/** How a stream ended that had been opened. */
export interface StreamEnd {
  /** Milliseconds from its opening. */
  readonly openMs: number;
  readonly closedBy: 'caller' | 'mason' | 'gateway';
  /** Of the close frame (RFC 6455 section 7.4); 1005: it had none; 1006: there was no such frame. */
  readonly closeCode: number;
  /** Why the gateway ended it: an error code of ours, `idle`, or `silent`. */
  readonly reason?: string | undefined;
}

/** An administrative act: `team.add`, `token.revoke`, `audit.query`, and the gateway's own `gateway.start`, `gateway.stop`. */
export interface AdminEvent {
  readonly kind: 'admin';
  readonly requestId: string;
  readonly at: number;
  readonly actor: Actor;
  readonly teamId?: string;
  readonly team?: string;
  readonly act: string;
  /** What it was done to: names, ids, settings; never secrets. Values of at most 256 characters. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
  /** `intended`: on record before it was begun; what became of it stands in a second event with the same request id. */
  readonly result: 'intended' | 'done' | 'failed' | 'unknown';
  readonly errorCode?: string;
  /** As of a call: with the result `unknown`. */
  readonly closes?: Closes;
}

export type RecordEvent = IntentEvent | OutcomeEvent | AdminEvent;

/** An event as it stands in the record. */
export interface StoredEvent {
  /** `<gateway id>/<run>`. */
  readonly chain: string;
  /** Position in its chain, from 1. */
  readonly seq: number;
  /** SHA-256 of the canonical bytes, hex. */
  readonly digest: string;
  /**
   * The event, parsed from the bytes as written. `targets` is `{count, sha256}` there; `list`, of at most 1,000
   * `{kind, name}`, is joined from their own rows. Where it is shown to people, so are names: `actor.person`, and
   * `details.personName`, which no bytes hold.
   */
  readonly event: Readonly<Record<string, unknown>>;
}
