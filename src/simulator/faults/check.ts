import { validateHeaderName, validateHeaderValue } from 'node:http';

/** What a value should have been, or undefined when it is good. */
export type Check = (value: unknown) => string | undefined;

export function whole(min: number, max: number): Check {
  const good = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
  return (value) => (good(value) ? undefined : `a whole number from ${min} to ${max}`);
}

export function oneOf(values: readonly unknown[]): Check {
  const expected = `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
  return (value) => (values.includes(value) ? undefined : expected);
}

export function listOf(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return 'a list';
    for (const entry of value) {
      const expected = check(entry);
      if (expected !== undefined) return `a list of: ${expected}`;
    }
    return undefined;
  };
}

export function either(first: Check, second: Check): Check {
  return (value) => {
    const expected = [first(value), second(value)];
    return expected.includes(undefined) ? undefined : expected.join(', or ');
  };
}

export function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

export const text: Check = (value) => (typeof value === 'string' ? undefined : 'a string');

export const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');

export const base64: Check = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? undefined : 'bytes in base64';

/** Only what Node agrees to write: for anything worse there are kinds of their own. */
export const headers: Check = (value) => {
  const expected = 'an object of header names with a string or a list of strings each';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected;
  for (const [name, given] of Object.entries(value)) {
    for (const one of Array.isArray(given) ? given : [given]) {
      if (typeof one !== 'string') return expected;
      try {
        validateHeaderName(name);
        validateHeaderValue(name, one);
      } catch {
        return `${expected}, without characters that HTTP forbids (see ${JSON.stringify(name)})`;
      }
    }
  }
  return undefined;
};

/** Every named field checked, no other one allowed; undefined when all is good. */
export function fields(where: string, value: unknown, checks: Readonly<Record<string, Check>>): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${where}: expected an object`;
  const given = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (checks[name] === undefined) {
      return `${where}.${name}: unknown; known are ${Object.keys(checks).join(', ')}`;
    }
  }
  for (const [name, check] of Object.entries(checks)) {
    const expected = check(given[name]);
    if (expected !== undefined) {
      return `${where}.${name}: expected ${expected}, got ${JSON.stringify(given[name]) ?? 'nothing'}`;
    }
  }
  return undefined;
}
