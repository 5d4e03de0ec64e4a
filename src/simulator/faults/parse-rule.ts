import { base64, type Check, either, fields, flag, headers, listOf, oneOf, optional, text, whole } from './check.ts';
import { type Fault, type FaultKind, type FaultRule, OLD_ERROR_SHAPES } from './fault.ts';

type FieldsOf<K extends FaultKind> = Exclude<keyof Extract<Fault, { kind: K }>, 'kind'>;

const HOUR_MS = 3_600_000;
const STATUS = whole(200, 599);
const DELAY = whole(0, HOUR_MS);

/** What each kind may and must say: the compiler sees to it that no kind and no field is missing. */
const FIELDS: { readonly [K in FaultKind]: { readonly [F in FieldsOf<K>]: Check } } = {
  status: { status: STATUS, headers: optional(headers), body: optional(text) },
  'slow-headers': { delayMs: DELAY },
  'slow-body': { delayMs: DELAY, pieceBytes: optional(whole(1, 1_000_000)) },
  reset: { when: optional(oneOf(['before-headers', 'before-body', 'after-headers'])) },
  hang: {},
  'truncated-body': { framing: oneOf(['length', 'chunked']) },
  'wrong-length': { by: whole(-1_000_000, 1_000_000) },
  'status-line': { line: text },
  'switching-protocols': {},
  informational: { statuses: listOf(whole(100, 199)) },
  redirect: { location: text, status: optional(whole(300, 399)) },
  html: { status: optional(STATUS) },
  'old-error': { shape: oneOf(OLD_ERROR_SHAPES), status: optional(STATUS), message: optional(text) },
  'truncated-json': { status: optional(STATUS) },
  'huge-header': { bytes: optional(whole(1, 16_000_000)) },
  'double-framing': { form: oneOf(['length-and-chunked', 'two-lengths']) },
  'bare-lf': {},
  'control-characters': { byte: optional(whole(0, 255)) },
  'response-headers': { headers },
  'echo-authorization': {
    in: optional(oneOf(['body', 'header'])),
    chunked: optional(flag),
    delayMs: optional(DELAY),
  },
  large: { bytes: whole(0, Number.MAX_SAFE_INTEGER) },
  raw: { base64 },
};

const MATCH = { method: optional(text), path: optional(text), nth: optional(whole(1, 1_000_000)) };
const RULE: Readonly<Record<string, Check>> = {
  match: optional((value) => fields('match', value, MATCH)),
  times: optional(either(whole(1, 1_000_000_000), oneOf(['always']))),
  afterProcessing: optional(flag),
  fault: () => undefined,
};

/** The rule that a JSON text describes, or one line that says what is wrong with it. */
export function parseRule(json: string): FaultRule | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'expected a JSON body: {"match"?, "times"?, "afterProcessing"?, "fault": {"kind": …}}';
  }
  const wrong = fields('rule', value, RULE) ?? wrongFault((value as { fault?: unknown }).fault);
  return wrong ?? (value as FaultRule);
}

function wrongFault(fault: unknown): string | undefined {
  const kind = (fault as { kind?: unknown } | null | undefined)?.kind;
  const known: Readonly<Record<string, Readonly<Record<string, Check>>>> = FIELDS;
  const checks = typeof kind === 'string' && Object.hasOwn(known, kind) ? known[kind] : undefined;
  if (checks === undefined) {
    return `fault.kind: expected one of ${Object.keys(FIELDS).join(', ')}, got ${JSON.stringify(kind) ?? 'nothing'}`;
  }
  return fields('fault', fault, { kind: text, ...checks });
}
