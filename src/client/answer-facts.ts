/** The caller's share of the rate budget, as the answer's `RateLimit` headers tell it. */
export interface Budget {
  /** Calls per window that are this caller's share now. */
  readonly calls: number;
  readonly windowMs: number;
  /** Calls that could go now without waiting. */
  readonly remaining: number;
  /** Milliseconds to the end of the window. */
  readonly resetMs: number;
}

/** What an answer tells beside its body. */
export interface AnswerFacts {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  readonly requestId: string | undefined;
  /** Undefined where the call did not come as far as the line. */
  readonly budget: Budget | undefined;
}

/** Reads the headers of an answer. */
export function answerFacts(method: string, path: string, { status, headers }: Response): AnswerFacts {
  return { method, path, status, requestId: headers.get('request-id') ?? undefined, budget: budgetOf(headers) };
}

/** `"mason";q=50;w=1` and `"mason";r=49;t=1`: the IETF's draft of rate limit headers. */
function budgetOf(headers: Headers): Budget | undefined {
  const policy = headers.get('ratelimit-policy') ?? '';
  const now = headers.get('ratelimit') ?? '';
  const calls = parameter(policy, 'q');
  const windowSeconds = parameter(policy, 'w');
  const remaining = parameter(now, 'r');
  if (calls === undefined || windowSeconds === undefined || remaining === undefined) return undefined;
  return { calls, windowMs: windowSeconds * 1_000, remaining, resetMs: (parameter(now, 't') ?? 0) * 1_000 };
}

function parameter(field: string, name: string): number | undefined {
  const value = new RegExp(`;\\s*${name}=(\\d{1,15})(?![\\d.])`).exec(field)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Milliseconds, from seconds or a date (RFC 9110 section 10.2.3). */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
