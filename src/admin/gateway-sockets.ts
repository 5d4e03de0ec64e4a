import { readdir } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { GatewayError } from '../domain/errors.ts';
import { isLive, listenOnSocket, type SocketListener } from './listen-on-socket.ts';

/** Of the gateway that was first; the others of the same data directory have the one of their own only. */
const SHARED = 'gateway.sock';
const OWN = /^gateway-[a-z0-9-]{1,32}\.sock$/;

export interface GatewaySockets extends AsyncDisposable {
  /** The socket that the command line tries first, if it is this gateway's; else its own. */
  readonly path: string;
  /** Takes no more requests. Idempotent. */
  close(): Promise<void>;
}

/**
 * Listens for the command line, and makes sure that no other gateway has this name here, nor this data directory unless they
 * share their rate budgets: two that do not would send twice what Mason takes.
 *
 * @param gatewayId of letters, digits and `-`
 * @param sharesBudgets whether gateways of this directory know of each other's calls, through Redis
 * @throws GatewayError `conflict` in one clear line, `invalid_request` when the path is too long
 */
export async function listenForCommands(
  dataDir: string,
  gatewayId: string,
  sharesBudgets: boolean,
  handler: RequestListener,
): Promise<GatewaySockets> {
  await using stack = new AsyncDisposableStack();
  const ownPath = join(dataDir, `gateway-${gatewayId}.sock`);
  if (await isLive(ownPath)) throw alreadyThere(dataDir, `by the name ${gatewayId}`);
  const own = stack.use(await listenOnSocket(ownPath, handler));
  const sharedPath = join(dataDir, SHARED);
  let shared: SocketListener | undefined;
  if (!(await isLive(sharedPath))) shared = stack.use(await listenOnSocket(sharedPath, handler));
  else if (!sharesBudgets) throw alreadyThere(dataDir, 'and this one has no Redis');
  const rest = stack.move();
  return {
    path: (shared ?? own).path,
    close: async () => void (await Promise.all([shared?.close(), own.close()])),
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  };
}

/** Where gateways of a data directory may answer: the shared socket first. */
export async function socketPathsIn(dataDir: string): Promise<string[]> {
  const names = await readdir(dataDir).catch(() => []);
  return [SHARED, ...names.filter((name) => OWN.test(name)).toSorted()].map((name) => join(dataDir, name));
}

function alreadyThere(dataDir: string, how: string): GatewayError {
  return new GatewayError(
    'conflict',
    `a gateway runs on ${dataDir} already, ${how}: stop it first; several may run on one data directory when each has its own ` +
      'GATEWAY_ID and all the same REDIS_URL',
  );
}
