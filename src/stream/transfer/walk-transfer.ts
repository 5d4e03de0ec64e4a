import type { IncomingMessage, ServerResponse } from 'node:http';
import { Gauge, type Registry } from 'prom-client';
import { allow } from '../../call/allow.ts';
import { announce } from '../../call/announce.ts';
import { askMason } from '../../call/ask-mason.ts';
import type { Call } from '../../call/call.ts';
import { chooseKey } from '../../call/choose-key.ts';
import { targetsInPath } from '../../call/find-targets.ts';
import { finish } from '../../call/finish.ts';
import { identify } from '../../call/identify.ts';
import { joinLine } from '../../call/join-line.ts';
import { redactorFor, relay } from '../../call/relay.ts';
import type { WalkRooms } from '../../call/walk.ts';
import { announcesBody, readBody } from '../../http/read-body.ts';
import type { RequestTarget } from '../../http/request-target.ts';
import { type TransferBounds, TransferSlots } from './transfer-slots.ts';
import { UploadBody, type UploadBounds } from './upload-body.ts';

/** What a transfer needs beside the rooms of every call. */
export interface TransferRooms extends WalkRooms {
  readonly slots: TransferSlots;
  readonly uploads: UploadBounds;
}

/** The rooms of calls for transfers, with their gauge: no total time, since every pause of theirs is bounded. */
export function openTransferRooms(
  rooms: WalkRooms,
  bounds: UploadBounds & TransferBounds,
  registry: Registry,
): TransferRooms {
  const slots = new TransferSlots(bounds);
  new Gauge({
    name: 'mason_gateway_transfers_open',
    help: 'Uploads and downloads under way.',
    registers: [registry],
    collect() {
      this.set(slots.count);
    },
  });
  return { ...rooms, slots, uploads: bounds, bounds: { ...rooms.bounds, totalMs: Number.POSITIVE_INFINITY } };
}

/**
 * The path of one upload or download, as {@link walk} is that of a call: the same steps, but its body is not held. It is
 * read only once the call may go and is announced, and each part of it goes on before the next is taken.
 */
export async function walkTransfer(
  rooms: TransferRooms,
  req: IncomingMessage,
  res: ServerResponse,
  target: RequestTarget,
): Promise<void> {
  using call = rooms.calls.open(req, res, target);
  using held = new DisposableStack();
  try {
    call.caller = await identify(rooms, call);
    call.route = rooms.routes.find(req.method ?? '', target.path);
    call.targets = targetsInPath(call.route);
    allow(call, call.caller);
    held.use(rooms.slots.take(call.caller.team.id));
    await openBody(rooms, call, held);
    call.key = await chooseKey(rooms.verdicts, call.caller, call.operation);
    const lane = await rooms.laneOf(call.key);
    const place = held.use(joinLine(rooms, call, call.caller, lane));
    await announce(rooms.record, call);
    const answer = await askMason(rooms, call, lane, place);
    const answeredMs = call.elapsed();
    try {
      const share = lane.share(call.caller.share.id, call.caller.share.weight);
      await relay(call, answer, redactorFor(call.key), share, rooms.bounds.answerIdleMs);
    } finally {
      call.masonMs += call.elapsed() - answeredMs;
    }
    finish(rooms, call, answer.status);
  } catch (error) {
    finish(rooms, call, error);
  }
}

/** What a read comes with has no meaning (RFC 9110 section 9.3.1), and is read away as it is for all calls. */
async function openBody(rooms: TransferRooms, call: Call, held: DisposableStack): Promise<void> {
  const { req, res } = call;
  if (req.method === 'GET' || req.method === 'HEAD') {
    call.body = await readBody(call, rooms.bounds.bodyBytesMax);
  } else if (announcesBody(req, rooms.uploads.bytesMax)) {
    call.upload = held.use(new UploadBody(req, res, rooms.uploads));
  }
}
