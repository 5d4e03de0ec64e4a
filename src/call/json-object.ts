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
    throw invalid((error as Error).message);
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
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g;
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    const [word] = token;
    if (word === '{' || word === '[') {
      open.push(word === '{' ? new Set() : undefined);
      if (open.length > DEPTH_MAX) throw invalid(`it is nested deeper than ${DEPTH_MAX} levels`);
    } else if (word === '}' || word === ']') {
      open.pop();
    } else if (token[1] !== undefined) {
      const name = JSON.parse(word.slice(0, word.length - token[1].length)) as string;
      const names = open.at(-1);
      if (names?.has(name)) throw invalid(`it has the name ${JSON.stringify(name.slice(0, 60))} twice in one object`);
      names?.add(name);
    }
  }
}

function invalid(why: string): GatewayError {
  return new GatewayError('invalid_request', `expected the body to be one JSON object: ${why}`);
}
