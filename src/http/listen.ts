import { once } from 'node:events';
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

/** Stops taking connections, ends idle ones, and waits for the others. */
export async function closeServer(server: import('node:http').Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}
