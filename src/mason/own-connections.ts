import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { type ConnectRules, publicLookup } from './connect.ts';

/**
 * Connections to Mason for what Node's own client asks, by the rules of {@link masonConnector}: one for each request, and none
 * is kept.
 *
 * @param origin of Mason: its scheme decides
 */
export function ownConnections(origin: string, { privateHosts }: Pick<ConnectRules, 'privateHosts'>): Agent {
  const lookup = publicLookup(privateHosts);
  if (!origin.startsWith('https:')) return new Agent({ keepAlive: false, lookup });
  return new TlsAgent({ keepAlive: false, lookup, minVersion: 'TLSv1.2', rejectUnauthorized: true });
}
