import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Clock } from '../../domain/clock.ts';
import type { Vault } from '../../vault/open-vault.ts';
import { trimmed } from '../session-cookie.ts';
import type { Challenge } from './identity-provider.ts';

/** For how long somebody may take to sign in at the provider. */
export const FLOW_MS_MAX = 600_000;
/** Tabs in which one browser signs in at once. */
const FLOWS_MAX = 5;
/** Five cookies with longer ones would not fit into the headers that a request may have. */
const RETURN_TO_CHARACTERS_MAX = 1_024;
const STATE = /^[0-9a-f]{64}$/;

/** A sign-in under way, as the browser keeps it: the server keeps nothing for visitors. */
export interface Flow extends Challenge {
  /** Id of the provider. */
  readonly provider: string;
  /** A path of this origin. */
  readonly returnTo: string;
  /** Milliseconds since 1970: when it began. */
  readonly at: number;
}

interface FlowCookie {
  readonly name: string;
  /** Undefined when it does not open, or is too old. */
  readonly flow: Flow | undefined;
}

/**
 * The cookies of sign-ins under way: one for each, named for its state, so that several tabs do not disturb each other.
 * Sealed, because the verifier in it is a secret and the path in it is trusted. `SameSite=Lax`, because the provider, another
 * site, sends the browser back.
 */
export class FlowCookies {
  readonly #vault: Pick<Vault, 'sealFor' | 'openFor'>;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #attributes: string;

  /** @param secure whether browsers come by https; without it the cookie has neither `Secure` nor the prefix that asks for it. */
  constructor(vault: Pick<Vault, 'sealFor' | 'openFor'>, clock: Clock, secure: boolean) {
    this.#vault = vault;
    this.#clock = clock;
    this.#prefix = secure ? '__Host-mgw-flow-' : 'mgw-flow-';
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  /** A sign-in that begins now. */
  newFlow(provider: string, returnTo: string): Flow {
    return {
      provider,
      state: randomBytes(32).toString('hex'),
      nonce: randomBytes(32).toString('base64url'),
      verifier: randomBytes(32).toString('base64url'),
      returnTo: returnTo.length > RETURN_TO_CHARACTERS_MAX ? '/' : returnTo,
      at: this.#clock.epochMs(),
    };
  }

  /** Sets the cookie of a sign-in, and clears those of others that are too old or too many. */
  keep(req: Request, res: Response, flow: Flow): void {
    const newestFirst = this.#read(req).toSorted((a, b) => (b.flow?.at ?? 0) - (a.flow?.at ?? 0));
    for (const [index, { name, flow: other }] of newestFirst.entries()) {
      if (other === undefined || index >= FLOWS_MAX - 1) this.#clear(res, name);
    }
    const name = this.#nameFor(flow.state);
    const sealed = this.#vault.sealFor('flow', name, Buffer.from(JSON.stringify(flow)));
    const value = Buffer.from(sealed).toString('base64url');
    res.append('Set-Cookie', `${name}=${value}; Max-Age=${FLOW_MS_MAX / 1_000}; ${this.#attributes}`);
  }

  /** Ends the sign-in of this state, whatever becomes of it: clears its cookie. Undefined when this browser did not begin one. */
  take(req: Request, res: Response, state: string): Flow | undefined {
    if (!STATE.test(state)) return undefined;
    const name = this.#nameFor(state);
    const cookies = this.#read(req).filter((cookie) => cookie.name === name);
    if (cookies.length > 0) this.#clear(res, name);
    return cookies.find(({ flow }) => flow?.state === state)?.flow;
  }

  #nameFor(state: string): string {
    return this.#prefix + state.slice(0, 8);
  }

  #read(req: Request): FlowCookie[] {
    const pairs = (req.headers.cookie ?? '').split(';').map(trimmed);
    return pairs
      .filter((pair) => pair.startsWith(this.#prefix))
      .map((pair) => {
        const [name = '', value = ''] = pair.split('=', 2);
        return { name, flow: this.#open(name, value) };
      });
  }

  #open(name: string, value: string): Flow | undefined {
    try {
      const flow = JSON.parse(this.#vault.openFor('flow', name, Buffer.from(value, 'base64url')).toString()) as Flow;
      const age = this.#clock.epochMs() - flow.at;
      return age < FLOW_MS_MAX ? flow : undefined;
    } catch {
      // Of another master key, altered, or never ours.
      return undefined;
    }
  }

  #clear(res: Response, name: string): void {
    res.append('Set-Cookie', `${name}=; Max-Age=0; ${this.#attributes}`);
  }
}
