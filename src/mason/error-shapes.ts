/** What an error of Mason's says, whatever its shape was. */
export interface MasonError {
  readonly type: string;
  readonly message: string;
}

const MESSAGE_CHARACTERS_MAX = 1_000;

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  429: 'rate_limit_error',
};

/** The `type` that goes with a status when Mason names none. */
function typeOf(status: number): string {
  return TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

/**
 * Reads an error body of Mason's: the documented `{type, message}`, and the shapes of its older services and of what
 * stands before it (`{error, details, itemized}`, `{error: {details}}`, `{data: "text"}`, `{message}`, plain text, HTML,
 * truncated JSON, nothing).
 */
export function readMasonError(status: number, contentType: string | undefined, body: Buffer): MasonError {
  const type = typeOf(status);
  const text = body.toString('utf8').trim();
  const wordless = `Mason answered ${status} without a message`;
  if (text === '') return { type, message: wordless };
  if (isMarkup(contentType, text)) return { type, message: `Mason answered ${status} with a page instead of an error` };
  const parsed = parsedJson(text);
  if (parsed === undefined) {
    if (/^[[{"]/.test(text)) return { type, message: `Mason answered ${status} with JSON that cannot be read` };
    return { type, message: bounded(text) || wordless };
  }
  const own = field(parsed, 'type');
  const known = typeof own === 'string' && /^[a-z][a-z_]{0,63}$/.test(own);
  return { type: known ? own : type, message: bounded(messageIn(parsed) ?? '') || wordless };
}

/** Whether a body is a page for people: HTML or XML by its type, or by its first bytes. */
export function isMarkup(contentType: string | undefined, text: string): boolean {
  return isMarkupType(contentType) || /^(?:\ufeff)?\s*<(?:!doctype|html|head|body|\?xml|svg|script)\b/i.test(text);
}

export function isMarkupType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*(?:text\/html|[^;]*\bxml\b)/i.test(contentType);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Looks where each of the known shapes keeps its words, the most telling first. */
function messageIn(value: unknown): string | undefined {
  const error = field(value, 'error');
  const places = [
    field(value, 'message'),
    field(error, 'message'),
    field(error, 'details'),
    joined(error, field(value, 'details')),
    itemized(field(value, 'itemized')),
    error,
    field(value, 'data'),
    value,
  ];
  return places.find((place): place is string => typeof place === 'string' && place.trim() !== '');
}

function joined(error: unknown, details: unknown): string | undefined {
  if (typeof details !== 'string' || details === '') return undefined;
  return typeof error === 'string' && error !== '' ? `${error}: ${details}` : details;
}

function itemized(items: unknown): string | undefined {
  if (!Array.isArray(items)) return undefined;
  const messages = items.map((item) => field(item, 'message')).filter((message) => typeof message === 'string');
  return messages.length === 0 ? undefined : messages.join('; ');
}

function bounded(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters have no place in a message
  const plain = text.replace(/[\x00-\x1f\x7f]+/g, ' ').trim();
  return plain.length > MESSAGE_CHARACTERS_MAX ? `${plain.slice(0, MESSAGE_CHARACTERS_MAX - 3)}...` : plain;
}
