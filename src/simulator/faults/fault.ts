/** Header values by name; a list writes the header several times. */
export type FaultHeaders = Readonly<Record<string, string | readonly string[]>>;

export const OLD_ERROR_SHAPES = ['itemized', 'nested', 'data', 'message', 'plain', 'empty'] as const;

/** One way of misbehaving. The status that a comment ends with is the one when none is given. */
export type Fault =
  /** An ordinary answer with this status (200–599); without a body, the documented error for it. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: FaultHeaders; readonly body?: string }
  /** The true answer, late. */
  | { readonly kind: 'slow-headers'; readonly delayMs: number }
  /** The true answer, its body in pieces (default 1 byte) with a pause before each. */
  | { readonly kind: 'slow-body'; readonly delayMs: number; readonly pieceBytes?: number }
  /** RST: with the body perhaps still coming, with the request complete, or after the head and half the body of an answer. */
  | { readonly kind: 'reset'; readonly when?: 'before-headers' | 'before-body' | 'after-headers' }
  /** No answer, the connection stays open. */
  | { readonly kind: 'hang' }
  /** The true answer cut in the middle, then the end of the connection. */
  | { readonly kind: 'truncated-body'; readonly framing: 'length' | 'chunked' }
  /** The true answer under a Content-Length that is wrong by so much: below 0, extra bytes follow. The connection stays open. */
  | { readonly kind: 'wrong-length'; readonly by: number }
  /** This first line as it stands, then a well-formed rest: `HTTP/1.1 000 `, `HTTP/1.1 099 Early`, garbage. */
  | { readonly kind: 'status-line'; readonly line: string }
  /** 101 although nobody asked; the connection stays open. */
  | { readonly kind: 'switching-protocols' }
  /** These (100–199) before the true answer. */
  | { readonly kind: 'informational'; readonly statuses: readonly number[] }
  /** 302. */
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** A load balancer's page. 502. */
  | { readonly kind: 'html'; readonly status?: number }
  /** Error shapes of Mason's older services. 500. */
  | {
      readonly kind: 'old-error';
      readonly shape: (typeof OLD_ERROR_SHAPES)[number];
      readonly status?: number;
      readonly message?: string;
    }
  /** An error whose JSON ends in the middle, well framed. 500. */
  | { readonly kind: 'truncated-json'; readonly status?: number }
  /** 64 KiB, or as many bytes, in one header. */
  | { readonly kind: 'huge-header'; readonly bytes?: number }
  | { readonly kind: 'double-framing'; readonly form: 'length-and-chunked' | 'two-lengths' }
  /** A header line ended by LF alone, hiding a Set-Cookie behind it. */
  | { readonly kind: 'bare-lf' }
  /** This byte (default 1) inside a header's value. */
  | { readonly kind: 'control-characters'; readonly byte?: number }
  /** The true answer with these headers besides: Set-Cookie, `Connection: X-Foo` with its X-Foo, a Location … */
  | { readonly kind: 'response-headers'; readonly headers: FaultHeaders }
  /**
   * The caller's Authorization header handed back. Chunked: once for each place where the key can be cut in two, each half in a
   * chunk of its own, `delayMs` (default 2) apart.
   */
  | {
      readonly kind: 'echo-authorization';
      readonly in?: 'body' | 'header';
      readonly chunked?: boolean;
      readonly delayMs?: number;
    }
  /** 200 with so many bytes, of which number i (from 0) is i modulo 251. */
  | { readonly kind: 'large'; readonly bytes: number }
  /** These bytes, then the end of the connection. */
  | { readonly kind: 'raw'; readonly base64: string };

export type FaultKind = Fault['kind'];

/** When a fault happens, and how often. */
export interface FaultRule {
  readonly match?: {
    readonly method?: string;
    /** The path without its query, exact; with `*` at its end, whatever begins so. */
    readonly path?: string;
    /** Begins with the so-many-th matching request, the first being 1. */
    readonly nth?: number;
  };
  /** Once when not given. */
  readonly times?: number | 'always';
  /**
   * The call is counted and takes effect, then the fault takes its answer's place; only calls that the limit accepted match.
   * When not true, calls are neither counted nor take effect, except for kinds which alter the true answer.
   */
  readonly afterProcessing?: boolean;
  readonly fault: Fault;
}

const TRUE_ANSWER: ReadonlySet<FaultKind> = new Set([
  'slow-headers',
  'slow-body',
  'truncated-body',
  'wrong-length',
  'informational',
  'response-headers',
]);

/** Whether the kind alters the true answer, so that the call is processed before in any case. */
export function needsTrueAnswer(fault: Fault): boolean {
  return TRUE_ANSWER.has(fault.kind);
}
