/**
 * Redis did not do what it was asked to. In words of its own: the errors of the client hold the command with all its
 * arguments, passwords among them, and must not reach a log.
 */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure';
  /** First word of an error reply (`READONLY`, `OOM`, `WRONGTYPE`); undefined when no reply came. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }

  /**
   * Whether Redis is away as far as its users are concerned: it does not answer, or answers that it cannot take anything
   * now. False: it understood and refused, which is a mistake of ours.
   */
  get away(): boolean {
    return this.code === undefined || !OUR_MISTAKES.has(this.code);
  }

  /** Whether asking again is of no use until somebody changes something: rights, a key that is not ours, a mistake of ours. */
  get refused(): boolean {
    return this.code !== undefined && (OUR_MISTAKES.has(this.code) || NOT_ALLOWED.has(this.code));
  }
}

/** Everything else (`READONLY`, `OOM`, `LOADING`, `MISCONF`, `CLUSTERDOWN`, `NOAUTH` …) is a state that Redis is in. */
const OUR_MISTAKES = new Set(['ERR', 'WRONGTYPE', 'NOSCRIPT', 'CROSSSLOT', 'BUSYKEY', 'EXECABORT']);

const NOT_ALLOWED = new Set(['NOPERM', 'NOAUTH', 'WRONGPASS']);

/** A server that does not know a command, AUTH perhaps, says its arguments back. */
const ECHO = /, with args beginning with:.*$/s;

export function toRedisFailure(error: unknown): RedisFailure {
  if (error instanceof RedisFailure) return error;
  const message = (error instanceof Error ? error.message : String(error)).replace(ECHO, '');
  const code = isReply(error) ? /^[A-Z]+/.exec(message)?.[0] : undefined;
  return new RedisFailure(WORDS.get(message) ?? message, code);
}

/** What the client says, said so that an operator understands it. */
const WORDS = new Map([
  ["Stream isn't writeable and enableOfflineQueue options is false", 'there is no connection to Redis'],
  ["Cluster isn't ready and enableOfflineQueue options is false", 'there is no connection to the Redis cluster'],
  ['Command timed out', 'Redis does not answer in time'],
  ['Connection is closed.', 'the connection to Redis was lost'],
]);

/** By its name, not its class: in tests it comes from another realm. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
