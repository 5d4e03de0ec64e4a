import { hash } from 'node:crypto';
import type { Request, Response, Router } from 'express';
import type { Person } from '../domain/person.ts';
import type { SessionStore } from '../domain/session.ts';

/** Somebody who has proven who they are. */
export interface SignIn {
  readonly person: Person;
  /** The identity provider's issuer identifier; `sign-in-link` where a link did it. */
  readonly issuer: string;
  /** The provider's `sid`, at most 255 characters: what a back-channel logout names. */
  readonly providerSid?: string | undefined;
}

/** What the session room does for whoever proves who somebody is. */
export interface SignInHost {
  /**
   * Begins a session under a new id, whatever cookie came with the request (session fixation, CWE-384), and sets its cookie on
   * `res`, which is still to be answered. Settles once the session is stored; puts it on record.
   *
   * @throws GatewayError `forbidden` when the person is disabled, `invalid_request` when the cookie cannot be set because the
   * request did not come by https, `store_unavailable`; then no cookie is set.
   */
  startSession(req: Request, res: Response, signIn: SignIn): Promise<void>;
  /**
   * Ends sessions, with the calls that they have under way, before it settles; each is on record.
   *
   * @param reason for the record: `logout at the provider`
   * @returns how many ended
   * @throws GatewayError `store_unavailable`
   */
  endSessions(which: Parameters<SessionStore['end']>[0], reason: string): Promise<number>;
  /**
   * Puts a try that led to no session on record, and counts it against its address.
   *
   * @param reason for the record; without secrets, at most 256 characters
   * @throws GatewayError `too_many_tries` from the first one over the bound of its address
   */
  noteRefused(req: Request, refused: { readonly issuer: string; readonly reason: string }): void;
}

/** A way to sign in, with routes of its own. */
export interface SignInProvider {
  /** Paths from the root: `/auth/login`. */
  routes(): Router;
  /** Where the browser goes to end the provider's own session too; undefined where the provider has no such place. */
  endSessionUrl(issuer: string): Promise<string | undefined>;
}

/** What a back-channel logout looks for: SHA-256 of issuer and `sid`, base64url. As JSON, which keeps the two apart. */
export function providerDigest(issuer: string, sid: string): string {
  return hash('sha256', JSON.stringify([issuer, sid]), 'base64url');
}

const RETURN_PATH_CHARACTERS_MAX = 2_048;
/** An origin that nobody has (RFC 6761 section 6.4). */
const ORIGIN = 'https://gateway.invalid';
// Each of them another reader may drop or turn into a slash: "/<TAB>/evil" and "/\evil" are other hosts to a browser.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
const TREACHEROUS = /[\x00-\x20\x7f\\]/;
const TREACHEROUS_ENCODED = /%(?:2f|5c|25|[01][0-9a-f]|7f)/i;

/**
 * Where to go after signing in: a path of this origin, read as browsers read it (WHATWG URL), and written anew from what was
 * read. Whatever is not surely one becomes `/`.
 */
export function returnPath(value: unknown): string {
  if (typeof value !== 'string' || value.length > RETURN_PATH_CHARACTERS_MAX) return '/';
  if (!value.startsWith('/') || TREACHEROUS.test(value) || !URL.canParse(value, ORIGIN)) return '/';
  const { origin, pathname, search, hash } = new URL(value, ORIGIN);
  if (origin !== ORIGIN || pathname.includes('//') || TREACHEROUS_ENCODED.test(pathname)) return '/';
  return pathname + search + hash;
}
