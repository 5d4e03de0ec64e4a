import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { watchAnswerHeads } from './answer-heads.ts';

export interface ConnectRules {
  /** For the connection, TLS included. */
  readonly connectMs: number;
  /** Hosts, by name, that may resolve to private addresses. A literal address in the origin names itself. */
  readonly privateHosts: readonly string[];
}

/**
 * How connections to Mason are made: TLS verified, 1.2 or newer; a name that suddenly resolves into the own network is
 * not called, because the key would go there (DNS rebinding).
 *
 * @param answers how many come on a connection
 */
export function masonConnector(rules: ConnectRules, answers: 'one' | 'many' = 'many'): buildConnector.connector {
  const connect = buildConnector({
    timeout: rules.connectMs,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    lookup: publicLookup(rules.privateHosts),
  });
  return (options, callback) => {
    connect(options, (...result) => {
      if (result[0] === null) watchAnswerHeads(result[1], answers);
      callback(...result);
    });
  };
}

const PRIVATE = privateRanges();

function privateRanges(): BlockList {
  const list = new BlockList();
  // RFC 6890 and its successors: what is not globally reachable.
  for (const [net, bits] of [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const) {
    list.addSubnet(net, bits, 'ipv4');
  }
  for (const [net, bits] of [
    ['::', 127],
    ['64:ff9b:1::', 48],
    ['fc00::', 7],
    ['fe80::', 10],
    ['ff00::', 8],
  ] as const) {
    list.addSubnet(net, bits, 'ipv6');
  }
  return list;
}

/** Whether an address is of a private, loopback, link-local or otherwise not global range. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  return PRIVATE.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

/** Looks names up as {@link masonConnector} does. */
export function publicLookup(privateHosts: readonly string[]): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const allowed = privateHosts.includes(hostname)
        ? addresses
        : addresses.filter((a) => !isPrivateAddress(a.address));
      const [first] = allowed;
      if (first === undefined) {
        callback(new Error(`${hostname} resolves to private addresses only`), '');
      } else if (options.all === true) {
        callback(null, allowed);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
