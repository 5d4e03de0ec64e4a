import { type Answer, invalid, MasonError } from './answer.ts';
import { type Call, param } from './call.ts';
import { findDevice } from './devices.ts';

const SWITCHING: Answer = { status: 101, headers: [], body: '' };

/** Whether X-Ray may begin at a device: 101 is for who becomes a WebSocket then. */
export function openXray(call: Call): Answer {
  if (!call.upgrade) throw invalid('X-Ray is a WebSocket: an upgrade is required');
  const { id } = findDevice(call, param(call, 'device'));
  const { xray } = call.account;
  if (xray.state(id) === 'unsupported') {
    throw new MasonError(410, 'invalid_request_error', `X-Ray is not supported on device ${id}`);
  }
  if (xray.isActive(id)) {
    throw new MasonError(429, 'rate_limit_error', `A session is already active on device ${id}`);
  }
  return SWITCHING;
}
