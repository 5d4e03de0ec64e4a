import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

/**
 * Listens, and gives the port in use.
 *
 * @param door what is meant, for the message: the variable that sets the port
 * @throws Error with one clear line when the address cannot be had
 */
export async function listen(server: Server, host: string, port: number, door: string): Promise<number> {
  const listening = once(server, 'listening');
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Error(`${door}: port ${port} on ${host} is taken; stop what uses it, or set ${door}`);
    if (code === 'EACCES')
      throw new Error(`${door}: port ${port} on ${host} may not be used by this account; set ${door}`);
    throw new Error(`${door}: cannot listen on ${host} port ${port}: ${code}`);
  }
  return (server.address() as AddressInfo).port;
}

const LOOK_AGAIN_MS = 50;

/** Takes no more connections and ends those that idle, now and whenever one becomes idle; after `graceMs` all of them. */
export async function closeServer(server: HttpServer, graceMs = 2_000): Promise<void> {
  const closed = server.listening ? once(server, 'close') : undefined;
  if (closed !== undefined) server.close();
  const looking = setInterval(() => server.closeIdleConnections(), LOOK_AGAIN_MS);
  const ending = setTimeout(() => server.closeAllConnections(), graceMs);
  server.closeIdleConnections();
  await closed;
  clearInterval(looking);
  clearTimeout(ending);
}
