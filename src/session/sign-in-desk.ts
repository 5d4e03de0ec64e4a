import { hash, randomBytes, randomUUIDv7 } from 'node:crypto';
import type { BlockList } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Actor, AdminEvent } from '../domain/event.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { SessionStore } from '../domain/session.ts';
import type { BadTries } from '../http/bad-tries.ts';
import { peerAddress } from '../http/peer-address.ts';
import type { BrowserSessions, ListedSession } from './browser-sessions.ts';
import { isLoopbackHost } from './cross-site-gate.ts';
import { ExpressSessionStore } from './express-session-store.ts';
import type { NewSession } from './session-content.ts';
import type { SessionCookie } from './session-cookie.ts';
import type { SignIn, SignInHost } from './sign-in.ts';

export interface SignInDeskOptions {
  readonly browsers: BrowserSessions;
  readonly cookie: SessionCookie;
  readonly record: Pick<AuditRecord, 'append'>;
  readonly clock: Clock;
  readonly tries: BadTries;
  readonly trustedProxies: BlockList | undefined;
  /** Sessions that one person may have at a time; the one not used for longest goes. */
  readonly perPersonMax: number;
}

/** Where sessions begin and end, with the cookie and the line on record. */
export class SignInDesk implements SignInHost {
  readonly #options: SignInDeskOptions;
  readonly #book: ExpressSessionStore;
  readonly #issue: RequestHandler;

  constructor(options: SignInDeskOptions) {
    const { browsers, cookie } = options;
    this.#options = options;
    this.#book = new ExpressSessionStore({
      start: async (cookieId, given) => void (await browsers.start(cookieId, given)),
      end: async (cookieId) => void (await browsers.end({ digest: hash('sha256', cookieId, 'base64url') })),
    });
    this.#issue = session({
      store: this.#book,
      name: cookie.name,
      secret: [...cookie.secrets],
      cookie: cookie.attributes,
      genid: () => randomBytes(32).toString('base64url'),
      resave: false,
      saveUninitialized: false,
      rolling: false,
    });
  }

  async startSession(req: Request, res: Response, signIn: SignIn): Promise<void> {
    const { browsers, perPersonMax } = this.#options;
    this.requireTransport(req);
    const { person } = signIn;
    const address = this.addressOf(req);
    const actor: Actor = { kind: 'person', personId: person.id, address };
    if (person.disabledAt !== undefined) {
      const refusal = new GatewayError(
        'forbidden',
        'this account is not let in any more: ask whoever runs this gateway',
      );
      this.#note('sign_in.refused', actor, { issuer: signIn.issuer, reason: 'disabled' }, res, refusal);
      throw refusal;
    }
    // The cookie that came will be replaced: what it led to must not live on where somebody planted or kept it.
    for (const former of await browsers.presented(req)) {
      await this.endListed(former, actor, 'another sign-in in the same browser', res);
    }
    await this.#begin(req, res, { ...signIn, address, userAgent: req.get('User-Agent') ?? '' });
    const digest = hash('sha256', req.sessionID, 'base64url');
    try {
      const all = await browsers.listOf(person.id);
      const surplus = all.filter((listed) => listed.digest !== digest).slice(perPersonMax - 1);
      for (const listed of surplus) await this.endListed(listed, actor, 'too many sessions', res);
      const sessionId = all.find((listed) => listed.digest === digest)?.content.id;
      this.#note('session.start', { ...actor, sessionId }, { issuer: signIn.issuer }, res);
    } catch (error) {
      forget(req);
      throw error;
    }
  }

  async endSessions(which: Parameters<SessionStore['end']>[0], reason: string): Promise<number> {
    const ended = await this.#options.browsers.end(which);
    const details = {
      reason,
      sessions: ended,
      ...('id' in which ? { session: which.id } : {}),
      ...('personId' in which ? { person: which.personId } : {}),
    };
    if (ended > 0) this.#note('session.end', { kind: 'gateway' }, details, undefined);
    return ended;
  }

  noteRefused(req: Request, { issuer, reason }: { readonly issuer: string; readonly reason: string }): void {
    const address = this.addressOf(req);
    const refusal = new GatewayError('unauthenticated', reason);
    this.#note('sign_in.refused', { kind: 'unknown', address }, { issuer, reason }, req.res, refusal);
    this.#options.tries.noteBad(address);
  }

  /**
   * Ends one session, by whoever may; on record when it was there.
   *
   * @throws GatewayError `store_unavailable`
   */
  async endListed({ digest, content }: ListedSession, by: Actor, reason: string, res: Response): Promise<void> {
    const ended = await this.#options.browsers.end({ digest });
    if (ended > 0) this.#note('session.end', by, { reason, session: content.id, person: content.personId }, res);
  }

  /**
   * Browsers keep a Secure cookie only from https, and one that is not would travel in the clear: a sign-in that cannot set
   * its cookie is told so, before anything is done.
   *
   * @throws GatewayError `invalid_request`
   */
  requireTransport(req: Request): void {
    if (this.#options.cookie.attributes.secure ? req.secure : isLoopbackHost(req.headers.host)) return;
    throw new GatewayError(
      'invalid_request',
      this.#options.cookie.attributes.secure
        ? 'expected this sign-in by https, as listen.publicUrl says, but it came by http: if a proxy before the gateway ends TLS, ' +
            'name its address in listen.trustedProxies, and let it send "X-Forwarded-Proto: https"'
        : 'expected a sign-in by http on this machine only (localhost): to sign in from elsewhere, set listen.publicUrl to the ' +
            'https address that browsers see',
    );
  }

  addressOf(req: Request): string {
    return peerAddress(req, this.#options.trustedProxies);
  }

  /** Lets express-session draw an id, store the session under it, and set the cookie with the answer; without it on any error. */
  async #begin(req: Request, res: Response, given: NewSession): Promise<void> {
    try {
      await settled((done) => this.#issue(req, res, done));
      using _ = this.#book.expect(req.sessionID);
      req.session.begun = given;
      await settled((done) => req.session.save(done));
    } catch (error) {
      forget(req);
      throw error;
    }
  }

  #note(
    act: string,
    actor: Actor,
    details: AdminEvent['details'],
    res: Response | undefined,
    refusal?: GatewayError,
  ): void {
    const { record, clock } = this.#options;
    record.append({
      kind: 'admin',
      requestId: String(res?.getHeader('Request-Id') ?? randomUUIDv7()),
      at: clock.epochMs(),
      actor,
      act,
      details,
      ...(refusal === undefined ? { result: 'done' } : { result: 'failed', errorCode: refusal.code }),
    });
  }
}

function settled(act: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    act((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

/** Without a session, express-session sets no cookie and writes nothing when the answer ends. */
function forget(req: Request): void {
  Reflect.deleteProperty(req, 'session');
}
