/** Values of a query; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * A path with its parameters put in, each as exactly one segment.
 *
 * @throws TypeError for a value that cannot be one: the gateway would refuse it, and rightly
 */
export function fillPath(template: string, parameters: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, parameters[name]));
}

/** With its `?`; empty when there is nothing to ask. */
export function queryText(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

function segment(name: string, value: string | undefined): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name}: expected a text that is not empty`);
  if (!value.isWellFormed()) throw new TypeError(`${name}: expected well-formed Unicode, got half a character`);
  // As servers may read it: a full-width slash becomes a real one wherever somebody normalises.
  const meant = value.normalize('NFKC');
  if (/[/\\]/.test(meant))
    throw new TypeError(`${name}: expected one segment of a path, got a slash in ${shown(value)}`);
  if (/^\.{1,2}(?:;|$)/.test(meant)) throw new TypeError(`${name}: expected a name, got ${shown(value)}`);
  if (/%[0-9a-f]{2}/i.test(meant)) {
    throw new TypeError(`${name}: expected a name as it is, got one that is encoded already: ${shown(value)}`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
  if (/[\x00-\x1f\x7f]/.test(meant)) throw new TypeError(`${name}: a control character has no place in a path`);
  return encodeURIComponent(value);
}

function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
}
