import { GatewayError } from '../domain/errors.ts';

/** A request target in origin form, split, with the very bytes that came. */
export interface RequestTarget {
  /** Begins with one `/`; safe segments only. */
  readonly path: string;
  /** With its leading `?`; empty when there is none. */
  readonly query: string;
}

export const TARGET_BYTES_MAX = 8_192;

// RFC 3986 pchar without ";": nobody needs path parameters here, and servers disagree on what they mean.
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/;
// RFC 9112 section 3.2: no fragment in a target. More than RFC 3986 allows, since it says nothing about what is asked.
const QUERY = /^[\x21\x22\x24-\x7e]*$/;
const PLAIN = /^(?:\/[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-._~!$&'()*+,=:@]*)+\/?$/;
const ENCODED_SEPARATOR = /%(?:2f|5c|25[0-9a-f]{2}|[01][0-9a-f]|7f)/i;

/**
 * Reads a request target and refuses what any two servers might read differently: never repairs, because what is
 * checked must be what is sent (Oathkeeper CVE-2026-33494; RFC 3986 sections 5.2.4 and 6.2).
 *
 * @param raw the target as it came: origin form, or absolute form with the authority of `host`
 * @throws GatewayError `invalid_path`, `uri_too_long`
 */
export function readRequestTarget(raw: string, host: string): RequestTarget {
  if (raw.length > TARGET_BYTES_MAX) {
    throw new GatewayError(
      'uri_too_long',
      `the request target may have ${TARGET_BYTES_MAX} bytes, it has ${raw.length}`,
    );
  }
  const target = originForm(raw, host);
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (!QUERY.test(query)) throw refused('the query has a "#" or a character that is not ASCII in it', raw);
  if (!PLAIN.test(path) && path !== '/') checkSegments(path, raw);
  return { path, query };
}

function originForm(raw: string, host: string): string {
  if (raw.startsWith('/')) return raw;
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(raw);
  if (absolute === null) throw refused('expected a path that begins with "/"', raw);
  const [, authority = '', rest = ''] = absolute;
  if (authority.toLowerCase() !== host.toLowerCase()) {
    throw refused('the target names another authority than the Host header', raw);
  }
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function checkSegments(path: string, raw: string): void {
  if (path.includes('#')) throw refused('a "#" has no place in a path', raw);
  if (path.includes('\\')) throw refused('a backslash has no place in a path', raw);
  if (path.includes(';')) throw refused('path parameters (";") are not taken', raw);
  if (!PATH.test(path)) throw refused('it has a character or "%" sequence that RFC 3986 does not allow there', raw);
  if (path.includes('//')) throw refused('empty segments ("//") are not taken', raw);
  if (ENCODED_SEPARATOR.test(path)) {
    throw refused('encoded slashes, backslashes, control characters and double encodings are not taken', raw);
  }
  for (const segment of path.split('/')) {
    const meant = decoded(segment, raw);
    // With what some servers cut off behind a ";", encoded or not.
    if (/^\.{1,2}(?:;|$)/.test(meant)) throw refused('"." and ".." segments are not taken', raw);
  }
}

function decoded(segment: string, raw: string): string {
  if (!segment.includes('%')) return segment;
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    throw refused('a "%" sequence in it is not UTF-8', raw);
  }
  // A full-width slash, dot or percent sign becomes a real one wherever somebody normalises (Unicode TR36 section 3).
  const plain = text.normalize('NFKC');
  if (/[/\\]|%[0-9a-f]{2}/i.test(plain)) throw refused('a look-alike of a slash or "%" sequence is not taken', raw);
  return plain;
}

function refused(why: string, raw: string): GatewayError {
  return new GatewayError('invalid_path', `the request target was refused: ${why}: ${printable(raw)}`);
}

/** At most 120 characters, for a message: control and non-ASCII characters as `\xNN`. */
function printable(text: string): string {
  const cut = text.length > 120 ? `${text.slice(0, 117)}...` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
  return JSON.stringify(cut.replace(/[\x00-\x1f\x7f-\uffff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`));
}
