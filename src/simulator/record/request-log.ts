/** One request as it came, kept in memory; `head` is latin1, one character a byte. */
export interface RequestRecord {
  readonly seq: number;
  /** Milliseconds of the simulator's monotonic clock, when the head was complete. */
  readonly at: number;
  /** The same instant by the wall clock. */
  readonly epochMs: number;
  /** Null for bytes the parser refused. */
  readonly method: string | null;
  readonly target: string | null;
  readonly head: string;
  readonly connection: number;
  /** 1 for the first request on its connection. */
  readonly onConnection: number;
  /** The label of the key it came with. */
  key: string | null;
  body: { bytes: number; sha256: string; complete: boolean };
  /** Null while it is not answered, and for good when a fault left it without an answer in HTTP. */
  status: number | null;
  fault: string | null;
  tookMs: number | null;
}

/** What `/_sim/requests` shows: with the head's bytes in base64 beside the text. */
export interface ShownRequest extends RequestRecord {
  readonly headRaw: string;
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export type Arrival = Pick<RequestRecord, 'at' | 'method' | 'target' | 'head' | 'connection' | 'onConnection'>;

/** The newest requests, a ring of bounded size. */
export class RequestLog {
  readonly #kept: number;
  readonly #ring: RequestRecord[] = [];
  #seq = 0;

  constructor(kept: number) {
    this.#kept = kept;
  }

  open(arrival: Arrival): RequestRecord {
    this.#seq += 1;
    const record: RequestRecord = {
      seq: this.#seq,
      ...arrival,
      epochMs: Date.now(),
      key: null,
      body: { bytes: 0, sha256: EMPTY_SHA256, complete: true },
      status: null,
      fault: null,
      tookMs: null,
    };
    if (this.#kept > 0) this.#ring[(this.#seq - 1) % this.#kept] = record;
    return record;
  }

  /** The newest `count`, the oldest of them first. */
  last(count: number): ShownRequest[] {
    const wanted = Math.min(count, this.#ring.length);
    return Array.from({ length: wanted }, (_, place) => this.#ring[(this.#seq - wanted + place) % this.#kept])
      .filter((record) => record !== undefined)
      .map((record) => ({ ...record, headRaw: Buffer.from(record.head, 'latin1').toString('base64') }));
  }
}
