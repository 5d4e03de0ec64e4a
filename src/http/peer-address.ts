import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** More hops than anybody has; a longer header is not read. */
const FORWARDED_CHARACTERS_MAX = 1_024;

/** A list of addresses and ranges in CIDR form, for {@link BlockList.check}. The texts were checked before. */
export function addressList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** Whether an address is in a list; IPv4 addresses in IPv6 clothes count as IPv4. */
export function isListed(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Who is at the other end: the peer of the socket, or, when that is a proxy we trust, the last address in
 * `X-Forwarded-For` that is not one. From anybody else the header means nothing (oauth2-proxy CVE-2026-40575).
 */
export function peerAddress(req: IncomingMessage, trustedProxies: BlockList | undefined): string {
  const peer = plain(req.socket.remoteAddress ?? '');
  if (trustedProxies === undefined || !isListed(trustedProxies, peer)) return peer;
  const header = req.headers['x-forwarded-for'];
  if (typeof header !== 'string' || header.length > FORWARDED_CHARACTERS_MAX) return peer;
  let address = peer;
  for (const hop of header.split(',').toReversed()) {
    const candidate = plain(hop.trim());
    if (isIP(candidate) === 0) return address;
    address = candidate;
    if (!isListed(trustedProxies, candidate)) return candidate;
  }
  return address;
}

function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
