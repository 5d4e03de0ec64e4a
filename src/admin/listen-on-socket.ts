import { lstat, mkdir, rmdir, stat, unlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../domain/errors.ts';

/** `sun_path` of Linux has 108 bytes with the final NUL; a longer path would be cut, and name something else. */
const PATH_BYTES_MAX = 107;
/** Leaves 0600 of the 0777 that a socket is made with. */
const OWNER_ONLY_UMASK = 0o177;
const CLOSE_MS_MAX = 2_000;
/** Looking, removing and binding take a few milliseconds: an older lock is of a process that died in between. */
const LOCK_MS_MAX = 3_000;
const LOCK_RETRY_MS = 10;

export interface SocketListener extends AsyncDisposable {
  readonly path: string;
  /** Takes no more requests, lets those under way end (2 s at most), removes the socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves HTTP on a Unix socket that only this account can connect to. A socket file that a dead gateway left is replaced.
 *
 * @throws GatewayError `invalid_request` when the path is too long, `conflict` when a gateway answers there, or when the path
 * is something else than a socket.
 */
export async function listenOnSocket(path: string, handler: RequestListener): Promise<SocketListener> {
  const bytes = Buffer.byteLength(path);
  if (bytes > PATH_BYTES_MAX) {
    throw new GatewayError(
      'invalid_request',
      `socket ${path}: expected a path of at most ${PATH_BYTES_MAX} bytes, got ${bytes}: choose a shorter data directory`,
    );
  }
  const server = createServer(handler);
  await alone(path, async () => {
    await removeDead(path);
    await listen(server, path);
  });
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
    // Node removes the socket's file when it closes.
    await new Promise<void>((closed) => server.close(() => closed()));
    clearTimeout(cut);
  };
  return { path, close, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((listening, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      failed(error.code === 'EADDRINUSE' ? inUse(path) : new GatewayError('conflict', `socket ${path}: ${error.code}`));
    });
    // A chmod afterwards would leave a moment in which others can connect. listen() binds before it returns.
    const umask = process.umask(OWNER_ONLY_UMASK);
    try {
      server.listen(path, () => listening());
    } finally {
      process.umask(umask);
    }
  });
}

/**
 * One at a time: two gateways may find the same dead socket, and the second must not remove the first one's live one. A
 * directory is the lock, because making one is atomic everywhere.
 */
async function alone(path: string, act: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  while (!(await taken(lock, path))) await sleep(LOCK_RETRY_MS);
  try {
    await act();
  } finally {
    await rmdir(lock);
  }
}

async function taken(lock: string, path: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new GatewayError('conflict', `socket ${path}: ${code}`, { cause: error });
  }
  // Gone meanwhile, which either call may meet, is as good as free.
  const madeAt = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
  if (Date.now() - madeAt > LOCK_MS_MAX) await rmdir(lock).catch(() => {});
  return false;
}

/** Removes a socket file that nobody listens on. */
async function removeDead(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new GatewayError(
      'conflict',
      `socket ${path}: expected a socket or nothing, found another file: it is left alone`,
    );
  }
  if (await isLive(path)) throw inUse(path);
  await unlink(path);
}

/** Whether somebody answers at a socket. */
export async function isLive(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Anything but a refusal (such as a full backlog) means that somebody is there.
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function inUse(path: string): GatewayError {
  return new GatewayError('conflict', `socket ${path}: another gateway answers there`);
}
