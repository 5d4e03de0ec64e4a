import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { answerOptions } from './call/answer-options.ts';
import { type WalkRooms, walk } from './call/walk.ts';
import { GatewayError } from './domain/errors.ts';
import { answerError } from './http/answer.ts';
import type { Handler } from './http/public-server.ts';
import type { RequestTarget } from './http/request-target.ts';
import { type TransferRooms, walkTransfer } from './stream/transfer/walk-transfer.ts';
import { isWebSocket } from './stream/xray/handshake.ts';
import { walkXray, type XrayRooms } from './stream/xray/walk-xray.ts';

/** Where Mason's paths lead to WebSockets. */
const XRAY = '/v1/global/xray';

/** Who stands behind the public door. */
export interface DoorRooms {
  readonly calls: WalkRooms;
  readonly transfers: TransferRooms;
  readonly xray: XrayRooms;
  /** `/` and `/auth`. */
  readonly signIn: RequestListener;
  /** `/admin/v1`. */
  readonly management: RequestListener;
  /** Adds what other origins must hear, before anybody answers; true when it answered by itself: a preflight. */
  readonly crossOrigin: (req: IncomingMessage, res: ServerResponse) => boolean;
  readonly ending: { readonly begun: boolean };
}

/**
 * The public door: which path goes to whom, by its raw bytes. Calls do not go through Express: it gives each request and
 * answer another prototype, after which every look at them, in Node itself too, is slower. People and managers do.
 */
export function createPublicDoor(rooms: DoorRooms): Handler {
  const { calls, transfers, xray, signIn, management, crossOrigin, ending } = rooms;
  return (req, res, target) => {
    if (ending.begun) {
      const refusal = new GatewayError('shutting_down', 'the gateway is shutting down: try another');
      answerError(res, refusal, { Connection: 'close' });
      return;
    }
    if (crossOrigin(req, res)) return;
    const { path } = target;
    if (isBelow(XRAY, path)) openXray(xray, req, res, target);
    else if (isBelow('/v1', path)) callMason(calls, transfers, req, res, target);
    else if (isBelow('/admin/v1', path)) management(withTarget(req, target), res);
    else if (path === '/' || isBelow('/auth', path)) signIn(withTarget(req, target), res);
    else if (req.method === 'OPTIONS') answerOptions(calls.routes, res, path);
    else answerError(res, new GatewayError('unknown_operation', `there is nothing at ${path}; Mason's API is at /v1`));
  };
}

function callMason(
  calls: WalkRooms,
  transfers: TransferRooms,
  req: IncomingMessage,
  res: ServerResponse,
  target: RequestTarget,
): void {
  const { method = '' } = req;
  if (method === 'OPTIONS') {
    answerOptions(calls.routes, res, target.path);
    return;
  }
  const isTransfer = calls.routes.isStreamed(method, target.path);
  const walking = isTransfer ? walkTransfer(transfers, req, res, target) : walk(calls, req, res, target);
  walking.catch((bug: unknown) => answerError(res, bug));
}

function openXray(rooms: XrayRooms, req: IncomingMessage, res: ServerResponse, target: RequestTarget): void {
  if (req.method === 'OPTIONS') answerOptions(rooms.routes, res, target.path);
  else walkXray(rooms, req, res, target).catch((bug: unknown) => answerError(res, bug));
}

/** Whether a request, by its raw target, may become a WebSocket. */
export function mayUpgrade({ url = '', headers }: IncomingMessage): boolean {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith(`${XRAY}/`) && isWebSocket(headers.upgrade);
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

/** An absolute-form target, which a proxy's client may send, without its origin: routers know paths only. */
function withTarget(req: IncomingMessage, { path, query }: RequestTarget): IncomingMessage {
  req.url = path + query;
  return req;
}
