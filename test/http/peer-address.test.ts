import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressList, isListed, peerAddress } from '../../src/http/peer-address.ts';

const from = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;
const TRUSTED = addressList(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);

test.each<[string, IncomingMessage, string]>([
  ['nobody trusted between', from('203.0.113.9'), '203.0.113.9'],
  ['a stranger who says so himself', from('203.0.113.9', '1.2.3.4'), '203.0.113.9'],
  ['a trusted proxy', from('10.1.2.3', '203.0.113.9'), '203.0.113.9'],
  ['a trusted proxy in IPv6 clothes', from('::ffff:10.1.2.3', '203.0.113.9'), '203.0.113.9'],
  ['a hop in IPv6 clothes', from('10.1.2.3', '::ffff:203.0.113.9'), '203.0.113.9'],
  ['two trusted proxies', from('10.1.2.3', '203.0.113.9, 10.9.9.9'), '203.0.113.9'],
  ['what the caller wrote before', from('10.1.2.3', '127.0.0.1, 203.0.113.9'), '203.0.113.9'],
  ['trusted proxies only', from('10.1.2.3', '10.0.0.1, 10.0.0.2'), '10.0.0.1'],
  ['garbage beside the caller', from('10.1.2.3', 'evil, 203.0.113.9'), '203.0.113.9'],
  ['garbage in the place of the caller', from('10.1.2.3', '203.0.113.9, evil'), '10.1.2.3'],
  ['an empty header', from('10.1.2.3', ''), '10.1.2.3'],
  ['a header without end', from('10.1.2.3', '203.0.113.9, '.repeat(1_000)), '10.1.2.3'],
  ['a port beside the address', from('10.1.2.3', '203.0.113.9:4711'), '10.1.2.3'],
  ['IPv6', from('2001:db8::1', '2001:db9::2'), '2001:db9::2'],
  ['no peer any more', from(undefined, '203.0.113.9'), ''],
])('%s', (_, req, expected) => {
  expect(peerAddress(req, TRUSTED)).toBe(expected);
});

test('from a peer that is not trusted the header never matters (oauth2-proxy CVE-2026-40575)', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (peer, forwarded) => {
      if (!isListed(TRUSTED, peer)) expect(peerAddress(from(peer, forwarded), TRUSTED)).toBe(peer);
      expect(peerAddress(from(peer, forwarded), undefined)).toBe(peer);
    }),
  );
});
