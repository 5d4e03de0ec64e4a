import { isIP } from 'node:net';

/** Whether a host, without brackets, is this machine itself: what is said to it does not leave. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
