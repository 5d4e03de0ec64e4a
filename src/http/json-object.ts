import { GatewayError } from '../domain/errors.ts';

/** Deeper than any body of Mason's; keeps what walks the value from running out of stack. */
const DEPTH_MAX = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a body as one JSON object that every reader understands alike: UTF-8, no name twice in an object (RFC 8259
 * section 4: readers differ on which one counts), bounded depth.
 *
 * @throws GatewayError `invalid_request` that says what is wrong and where
 */
export function parseJsonObject(body: Buffer): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw invalid('it is not UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8 quotes what stands around the fault, and that may be a key.
    throw invalid((error as Error).message.replace(/, (?:\.\.\.)?".*$/s, ' in the JSON'));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`it is ${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`}`);
  }
  checkNames(text);
  return value as Record<string, unknown>;
}

/** Walks valid JSON once: strings, and the nesting between them. */
function checkNames(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  // In valid JSON only these matter; a string followed by a colon is a name.
  const marks = /["{}[\]]/g;
  const colon = /\s*:/y;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    switch (mark[0]) {
      case '{':
      case '[':
        open.push(mark[0] === '{' ? new Set() : undefined);
        if (open.length > DEPTH_MAX) throw invalid(`it is nested deeper than ${DEPTH_MAX} levels`);
        break;
      case '"': {
        const end = endOfString(text, mark.index);
        marks.lastIndex = end;
        colon.lastIndex = end;
        if (colon.test(text)) note(open.at(-1), JSON.parse(text.slice(mark.index, end)));
        break;
      }
      default:
        open.pop();
    }
  }
}

function note(names: Set<string> | undefined, name: string): void {
  if (names?.has(name)) throw invalid(`it has the name ${JSON.stringify(name.slice(0, 60))} twice in one object`);
  names?.add(name);
}

/** Just behind the closing quote. No regular expression: on a megabyte of escapes it would run out of stack. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === '\\') before--;
  return (at - before) % 2 === 1;
}

function invalid(why: string): GatewayError {
  return new GatewayError('invalid_request', `expected the body to be one JSON object: ${why}`);
}
