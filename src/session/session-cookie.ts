import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../domain/errors.ts';

export interface CookieSettings {
  /** Whether browsers reach the gateway by https. */
  readonly secure: boolean;
  readonly sameSite: 'strict' | 'lax';
  /** The first signs, all are accepted. */
  readonly secrets: readonly string[];
}

/** 256 random bits in base64url. */
const ID = /^[A-Za-z0-9_-]{43}$/;
/** `s:`, id, dot and signature with every character percent-encoded would have 267. */
const VALUE_CHARACTERS_MAX = 300;

/**
 * The session cookie: how it is called, and how one is read that came back. Written by express-session, whose form of a
 * signature this is: `s:<id>.<HMAC-SHA-256 of the id, base64 without "=">`, percent-encoded.
 */
export class SessionCookie {
  /** `__Host-` binds the cookie to this very host, and browsers hold it to Secure, Path=/ and no Domain (RFC 6265bis). */
  readonly name: string;
  readonly attributes: { path: '/'; httpOnly: true; secure: boolean; sameSite: 'strict' | 'lax' };
  /** Signs. */
  readonly secret: string;
  readonly secrets: readonly string[];
  readonly #keys: readonly KeyObject[];

  /** @param settings.secrets at least one */
  constructor({ secure, sameSite, secrets }: CookieSettings) {
    const [first] = secrets;
    if (first === undefined) throw new Error('session cookies need a secret to sign them');
    this.name = secure ? '__Host-mason-gateway' : 'mason-gateway';
    this.attributes = { path: '/', httpOnly: true, secure, sameSite };
    this.secret = first;
    this.secrets = secrets;
    this.#keys = secrets.map((secret) => createSecretKey(Buffer.from(secret)));
  }

  /** Whether one came, good or not. */
  isIn(header: string | string[] | undefined): boolean {
    return typeof header === 'string' && header.includes(this.name) && this.#valuesIn(header).length > 0;
  }

  /**
   * The session id in a Cookie header; `isOld` when another secret signed it than the one that signs now.
   *
   * @throws GatewayError `unauthenticated` when there is none, more than one (a cookie of the same name was planted, and which
   * is meant is anybody's guess), or one that this gateway did not sign
   */
  read(header: string | string[] | undefined): { readonly id: string; readonly isOld: boolean } {
    const [value, ...more] = typeof header === 'string' ? this.#valuesIn(header) : [];
    if (value === undefined) throw unauthenticated(`expected the session cookie "${this.name}": sign in first`);
    if (more.length > 0) throw unauthenticated(`expected one cookie "${this.name}", got ${more.length + 1}`);
    const signed = this.#signed(value);
    if (signed === undefined) throw unauthenticated('the session cookie is not one of this gateway: sign in again');
    return { id: signed.id, isOld: signed.by > 0 };
  }

  /** Every session id in a Cookie header that this gateway signed, however many came: for those who end sessions. */
  all(header: string | string[] | undefined): string[] {
    const values = typeof header === 'string' ? this.#valuesIn(header) : [];
    return values.flatMap((value) => this.#signed(value)?.id ?? []);
  }

  #signed(value: string): { readonly id: string; readonly by: number } | undefined {
    const [id = '', signature = ''] = signedParts(value);
    const by = this.#keys.findIndex((key) => isSignedBy(key, id, signature));
    return ID.test(id) && by !== -1 ? { id, by } : undefined;
  }

  #valuesIn(header: string): string[] {
    const values: string[] = [];
    for (const pair of header.split(';')) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && trimmed(pair.slice(0, equals)) === this.name) values.push(trimmed(pair.slice(equals + 1)));
    }
    return values;
  }
}

/**
 * Without spaces and tabs around it, and nothing else: what `trim` takes for a space besides (U+00A0) makes another name to a
 * browser, to which the rules of `__Host-` do not apply.
 */
export function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function signedParts(value: string): string[] {
  if (value.length > VALUE_CHARACTERS_MAX) return [];
  let text: string;
  try {
    text = decodeURIComponent(value);
  } catch {
    return [];
  }
  const dot = text.lastIndexOf('.');
  return text.startsWith('s:') && dot !== -1 ? [text.slice(2, dot), text.slice(dot + 1)] : [];
}

function isSignedBy(key: KeyObject, id: string, signature: string): boolean {
  const expected = Buffer.from(createHmac('sha256', key).update(id).digest('base64').replace(/=+$/, ''));
  const got = Buffer.from(signature);
  return got.length === expected.length && timingSafeEqual(got, expected);
}

function unauthenticated(message: string): GatewayError {
  return new GatewayError('unauthenticated', message);
}
