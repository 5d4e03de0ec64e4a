import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls, { type SecureVersion, type TLSSocket } from 'node:tls';
import { expect, test } from '@jest/globals';
import { isPrivateAddress, masonConnector } from '../../src/mason/connect.ts';
import { FIRST } from '../support/certificates.ts';

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::FFFF:10.0.0.1',
  '::ffff:7f00:1',
  '::ffff:a9fe:a9fe',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'ff02::1',
])('%s is not called behind a public name', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each([
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '100.128.0.1',
  '192.169.0.1',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
])('%s is', (address) => {
  expect(isPrivateAddress(address)).toBe(false);
});

test('TLS before 1.2 is refused although the certificate is good and Node would take it (RFC 8996, security E7)', async () => {
  const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
  const trusted = tls.getCACertificates('default');
  // As under `node --tls-min-v1.0 --tls-cipher-list=DEFAULT@SECLEVEL=0`: only what the connector asks for stands in the way.
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  tls.DEFAULT_CIPHERS = 'DEFAULT@SECLEVEL=0';
  tls.setDefaultCACertificates([...trusted, FIRST.cert]);
  const connect = masonConnector({ connectMs: 5_000, privateHosts: ['localhost'] });
  const byConnector = (port: number) =>
    new Promise<TLSSocket>((resolve, reject) => {
      const where = { hostname: 'localhost', host: `localhost:${port}`, protocol: 'https:', port: String(port) };
      connect(where, (error, made) => (error === null ? resolve(made as TLSSocket) : reject(error)));
    });
  const byNode = async (port: number): Promise<TLSSocket> => {
    const socket = tls.connect({ port, host: 'localhost' });
    await once(socket, 'secureConnect');
    return socket;
  };
  const version = async (how: typeof byNode, maxVersion: SecureVersion): Promise<string | null> => {
    const server = tls.createServer({ ...FIRST, minVersion: 'TLSv1', maxVersion }, (socket) => socket.end());
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const socket = await how((server.address() as AddressInfo).port);
      socket.on('error', () => undefined);
      const protocol = socket.getProtocol();
      socket.destroy();
      return protocol;
    } finally {
      server.close();
    }
  };
  try {
    expect(await version(byNode, 'TLSv1.1')).toBe('TLSv1.1');
    expect(await version(byConnector, 'TLSv1.2')).toBe('TLSv1.2');
    await expect(version(byConnector, 'TLSv1.1')).rejects.toThrow();
  } finally {
    tls.DEFAULT_MIN_VERSION = DEFAULT_MIN_VERSION;
    tls.DEFAULT_CIPHERS = DEFAULT_CIPHERS;
    tls.setDefaultCACertificates(trusted);
  }
});
