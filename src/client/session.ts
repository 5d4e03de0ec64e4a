import type { SessionView } from './identity.ts';
import type { CallOptions } from './options.ts';
import type { Wire } from './wire.ts';

/** Goes without the line: neither urgency nor team matter. */
export type SessionCallOptions = Pick<CallOptions, 'deadlineMs' | 'signal'>;

/** Lets something that cannot set a header go ahead, once. */
export interface Ticket {
  /** Where to navigate, ticket included. Works once. */
  readonly url: string;
  /** ISO time: until when. */
  readonly endsAt: string;
}

/** The browser session of whoever uses the page. */
export class Session {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /**
   * Who is signed in, what they may do, and how long it lasts.
   *
   * @param slide false: looking keeps nothing alive, so that a page may look as often as it likes (default true)
   * @throws GatewayCallError `authentication_error` when nobody is signed in
   */
  get({ slide = true, ...options }: { readonly slide?: boolean } & SessionCallOptions = {}): Promise<SessionView> {
    const query = slide ? {} : { slide };
    return this.#wire.ask('GET', '/auth/session', { query }, options);
  }

  /**
   * Ends the session, and the calls that it has under way. Twice does no harm.
   *
   * @returns where to send the browser to sign out at the identity provider too, where there is such a place
   */
  async logout(options: SessionCallOptions = {}): Promise<{ readonly endSessionUrl?: string }> {
    return (await this.#wire.ask<{ endSessionUrl?: string } | undefined>('POST', '/auth/logout', {}, options)) ?? {};
  }

  /**
   * Asks for a ticket, for a download by navigation or a WebSocket.
   *
   * @param path with its query, as it will be asked for: `/v1/default/device?limit=100`
   * @param options with the team that it is to act for
   */
  async ticket(
    given: { readonly method: 'GET'; readonly path: string },
    options?: SessionCallOptions & Pick<CallOptions, 'team'>,
  ): Promise<Ticket> {
    const { method, path } = given;
    type Issued = { readonly path: string; readonly endsAt: string };
    const issued = await this.#wire.ask<Issued>('POST', '/auth/ticket', { body: { method, path } }, options);
    return { url: this.#wire.url(issued.path), endsAt: issued.endsAt };
  }

  /**
   * Where to send the browser to sign in at the identity provider.
   *
   * @param returnTo a path of the gateway's own origin
   */
  signInUrl(returnTo = '/'): string {
    return this.#wire.url(`/auth/login?returnTo=${encodeURIComponent(returnTo)}`);
  }

  /** The gateway's own page about whoever is signed in; it knows every way to sign in, also without an identity provider. */
  accountUrl(): string {
    return this.#wire.url('/auth/account');
  }
}
