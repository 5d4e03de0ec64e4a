import { connect } from 'node:net';
import { userInfo } from 'node:os';
import type { ActClient } from './act-client.ts';
import { CliError } from './cli-error.ts';
import { localActs } from './local-acts.ts';
import { remoteActs } from './remote-acts.ts';
import type { Rooms } from './rooms.ts';

/**
 * The acts of the running gateway, or, with none running, of the store opened here.
 *
 * @throws CliError when a gateway runs under another account, or the store cannot be opened.
 */
export async function reachActs<Config>(rooms: Rooms<Config>): Promise<ActClient> {
  const config = rooms.loadConfig();
  const account = accountName();
  for (const socketPath of await rooms.socketPaths(config)) {
    const state = await stateOf(socketPath);
    if (state === 'live') return remoteActs(socketPath, account);
    if (state === 'foreign') {
      throw new CliError(
        'failed',
        'permission_error',
        `a gateway runs at ${socketPath} under another account: run this as that account`,
      );
    }
  }
  const by = account === undefined ? { kind: 'operator' as const } : { kind: 'operator' as const, account };
  return localActs(await rooms.openManagement(config), by);
}

async function stateOf(socketPath: string): Promise<'live' | 'absent' | 'foreign'> {
  return await new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve('live');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EACCES' || error.code === 'EPERM' ? 'foreign' : 'absent');
    });
  });
}

/** Undefined where the account has no name, as in a container run under a bare number. */
function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
