import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../domain/errors.ts';
import { hasBody } from '../../http/body-time.ts';

/** What a caller offers when it asks for a WebSocket, each value as it came. */
export interface Handshake {
  readonly key: string;
  readonly protocols: string | undefined;
  readonly extensions: string | undefined;
}

const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
// RFC 6455 section 4.1: a list of tokens.
const TOKENS = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/;
/** The one extension that leaves frames what they are (RFC 7692). Another one could mean something else by their headers. */
const EXTENSIONS = /^permessage-deflate(?:[ \t]*;[^,]*)?(?:[ \t]*,[ \t]*permessage-deflate(?:[ \t]*;[^,]*)?)*$/i;
const OFFER_CHARACTERS_MAX = 1_024;
const VERSION = '13';
/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function isWebSocket(upgrade: string | undefined): boolean {
  return upgrade?.toLowerCase() === 'websocket';
}

/**
 * What the caller's handshake offers (RFC 6455 section 4.2.1).
 *
 * @throws GatewayError `invalid_request`
 */
export function readHandshake(req: IncomingMessage): Handshake {
  const { headers, httpVersion } = req;
  const refuse = (expected: string): GatewayError =>
    new GatewayError('invalid_request', `X-Ray is a WebSocket: expected ${expected}`);
  if (!isWebSocket(headers.upgrade) || httpVersion !== '1.1') {
    throw refuse('"Connection: Upgrade" and "Upgrade: websocket" in HTTP/1.1');
  }
  if (hasBody(req)) throw refuse('a request without a body');
  if (headers['sec-websocket-version'] !== VERSION) throw refuse(`"Sec-WebSocket-Version: ${VERSION}"`);
  const key = headers['sec-websocket-key'];
  if (key === undefined || !KEY.test(key)) throw refuse('"Sec-WebSocket-Key" with 16 bytes in base64');
  const protocols = headers['sec-websocket-protocol'];
  if (protocols !== undefined && (protocols.length > OFFER_CHARACTERS_MAX || !TOKENS.test(protocols))) {
    throw refuse('"Sec-WebSocket-Protocol" to be a list of tokens');
  }
  const offered = headers['sec-websocket-extensions'];
  const isKnown = offered !== undefined && offered.length <= OFFER_CHARACTERS_MAX && EXTENSIONS.test(offered);
  return { key, protocols, extensions: isKnown ? offered : undefined };
}

/** The headers of the handshake as Mason gets them, lower-case. */
export function handshakeHeaders({ key, protocols, extensions }: Handshake): Record<string, string> {
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': VERSION,
    'sec-websocket-key': key,
    ...(protocols === undefined ? {} : { 'sec-websocket-protocol': protocols }),
    ...(extensions === undefined ? {} : { 'sec-websocket-extensions': extensions }),
  };
}

/**
 * Whether Mason took what was offered, and nothing else (RFC 6455 section 4.1).
 *
 * @returns the headers of the handshake as the caller gets them, a flat list
 * @throws GatewayError `mason_bad_answer`
 */
export function acceptedHeaders(offer: Handshake, { headers }: IncomingMessage): string[] {
  const refuse = (what: string): GatewayError =>
    new GatewayError('mason_bad_answer', `Mason answered a WebSocket's handshake with ${what}`);
  if (!isWebSocket(headers.upgrade)) throw refuse('another protocol');
  const accept = hash('sha1', offer.key + ACCEPT_SUFFIX, 'base64');
  if (headers['sec-websocket-accept'] !== accept) throw refuse('a wrong "Sec-WebSocket-Accept"');
  const protocol = headers['sec-websocket-protocol'];
  if (protocol !== undefined && !listOf(offer.protocols).includes(protocol)) {
    throw refuse('a sub-protocol that was not offered');
  }
  const extensions = headers['sec-websocket-extensions'];
  if (extensions !== undefined && (offer.extensions === undefined || !EXTENSIONS.test(extensions))) {
    throw refuse('an extension that was not offered');
  }
  return [
    ...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Accept', accept],
    ...(protocol === undefined ? [] : ['Sec-WebSocket-Protocol', protocol]),
    ...(extensions === undefined ? [] : ['Sec-WebSocket-Extensions', extensions]),
  ];
}

function listOf(protocols: string | undefined): string[] {
  return protocols?.split(',').map((protocol) => protocol.trim()) ?? [];
}
