import { GatewayError } from '../domain/errors.ts';
import type { BrowserRequest, Frontend } from '../domain/session.ts';

export interface GateRules {
  /** Origin of `listen.publicUrl`; undefined: the gateway is reached by http on loopback, under whatever name and port. */
  readonly ownOrigin: string | undefined;
  readonly frontends: readonly Frontend[];
}

/** A ticket that a request carries: it stands in for what a navigation or a WebSocket cannot say. */
export interface TicketClaim {
  /** Origin of the page that asked for it; undefined: a page of the gateway's own. */
  readonly origin: string | undefined;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Values of Sec-Fetch-Site with which a page of our own, or the person in the address bar, asks. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

/**
 * The cross-site checks, all of them (RFC 10017 section 6.1; Duende GHSA-4j63-5v5f-xcc4): the static header, which no form or
 * image can set and no other origin may without asking; then what the browser itself says of the page that asks. A sibling
 * subdomain is a stranger like every other site, unless its origin is listed. Whether a ticket is good is looked up later.
 *
 * @param ticket undefined when the request carries none
 * @returns the listed frontend whose page asks; undefined for a page of the gateway's own origin, or no page
 * @throws GatewayError `csrf_refused`
 */
export function passGate(
  { method = 'GET', headers }: BrowserRequest,
  rules: GateRules,
  ticket: TicketClaim | undefined,
): Frontend | undefined {
  const origin = headers['origin'];
  const site = headers['sec-fetch-site'];
  if (ticket === undefined && !isSaid(headers['x-requested-by'])) {
    throw refused(
      'expected the header "X-Requested-By" with any value, got none: no other site can make a browser send it',
    );
  }
  const frontend =
    origin === undefined ? frontendOf(ticket?.origin, rules) : frontendOf(origin, rules, headers['host']);
  // A navigation names no origin: the ticket does, of a page that passed this gate.
  const isVouched = origin !== undefined || ticket?.origin !== undefined;
  if (site !== undefined && !isVouched && !OWN_SITES.has(String(site))) {
    throw refused(`expected a page of this origin or of a listed frontend, got "Sec-Fetch-Site: ${shown(site)}"`);
  }
  if (!SAFE_METHODS.has(method) && site === undefined && origin === undefined) {
    throw refused(`expected "Sec-Fetch-Site: same-origin" or a listed "Origin" with ${method}, got neither`);
  }
  if (ticket !== undefined && ticket.origin !== frontend?.origin) {
    throw refused('expected the ticket to be used by a page of the origin that asked for it');
  }
  if (headers['upgrade'] !== undefined && (origin === undefined || ticket === undefined)) {
    throw refused('expected a ticket and a listed "Origin" with "Upgrade"');
  }
  return frontend;
}

function frontendOf(
  origin: string | string[] | undefined,
  { ownOrigin, frontends }: GateRules,
  host?: string | string[],
): Frontend | undefined {
  if (origin === undefined || origin === (ownOrigin ?? loopbackOrigin(host))) return undefined;
  const frontend = frontends.find((listed) => listed.origin === origin);
  if (frontend !== undefined) return frontend;
  if (ownOrigin === undefined && host !== undefined && !isLoopbackHost(host)) {
    throw refused(
      `expected a page at this machine's own address (localhost), got one at "${shown(host)}": to be reached from elsewhere the ` +
        'gateway needs listen.publicUrl (GATEWAY_PUBLIC_URL), the https address that browsers see',
    );
  }
  throw refused(`expected "Origin" to be this gateway's own or one listed in "frontends", got "${shown(origin)}"`);
}

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;

/** Whether a Host header names this machine itself. Any other name could be made to lead here (DNS rebinding). */
export function isLoopbackHost(host: string | string[] | undefined): boolean {
  return typeof host === 'string' && LOOPBACK_HOST.test(host);
}

function loopbackOrigin(host: string | string[] | undefined): string | undefined {
  return isLoopbackHost(host) ? `http://${String(host)}` : undefined;
}

function isSaid(header: string | string[] | undefined): boolean {
  return header !== undefined && header.length > 0;
}

function shown(value: string | string[]): string {
  return String(value).slice(0, 120);
}

function refused(message: string): GatewayError {
  return new GatewayError('csrf_refused', message);
}
