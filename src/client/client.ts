import type { SessionView, TokenView } from './identity.ts';
import { operationsOver } from './operations.ts';
import type { CallOptions, ClientOptions, Confirmed } from './options.ts';
import { Session, type SessionCallOptions } from './session.ts';
import { readSettings } from './settings.ts';
import { type Content, Wire } from './wire.ts';

export type { AnswerFacts, Budget } from './answer-facts.ts';
export type { ErrorSource, ErrorType } from './gateway-call-error.ts';
// biome-ignore lint/performance/noBarrelFile: this file is the door of the package `mason-gateway/client`
export { GatewayCallError } from './gateway-call-error.ts';
export type * from './identity.ts';
export type * from './models.ts';
export type { Answers, Bodies, Queries } from './operation-types.ts';
export type { CallOptions, ClientOptions, Confirmed, Urgency } from './options.ts';
export type { Page, Paged } from './paged.ts';
export type { Session, SessionCallOptions, Ticket } from './session.ts';
export type { Content } from './wire.ts';

/** Mason's API through the gateway: its operations, by what they are about, and what there is beside them. */
export interface GatewayClient extends ReturnType<typeof operationsOver> {
  /** Signing in and out, for pages. */
  readonly session: Session;
  /** Who calls, and what they may do: a token, or whoever is signed in. */
  whoami(options?: SessionCallOptions): Promise<SessionView | TokenView>;
  /**
   * Any other operation that the gateway knows: those that its configuration adds.
   *
   * @param path with `{parameters}`: `/v1/default/device/{id}/screen`
   */
  call<Answer = unknown>(
    method: string,
    path: string,
    content?: Content,
    options?: CallOptions & Partial<Confirmed<string>>,
  ): Promise<Answer>;
}

/**
 * A client of the gateway, for programs with a token and for pages with a session. It sends each call once: what may be
 * sent again the gateway sends again, in its turn; what it answers is final.
 *
 * @throws TypeError when an option is not what it should be
 */
export function createClient(options: ClientOptions): GatewayClient {
  const wire = new Wire(readSettings(options));
  return Object.assign(operationsOver(wire), {
    session: new Session(wire),
    whoami: (given?: SessionCallOptions) => wire.ask<SessionView | TokenView>('GET', '/auth/whoami', {}, given),
    call: wire.ask.bind(wire) as GatewayClient['call'],
  });
}
