import { randomBytes } from 'node:crypto';

/** RFC 6455 section 7.4.1 and its registry. */
export type OwnCloseCode = 1001 | 1008 | 1011 | 1012;

const OPCODE_CLOSE = 0x8;
const OPCODE_PING = 0x9;
const REASON_BYTES_MAX = 123;

/**
 * A ping of ours. Its answer passes to the other side as a pong that nobody there asked for, which section 5.5.3 allows.
 *
 * @param isMasked whether it goes to Mason: what clients send is masked (section 5.3)
 */
export function pingFrame(isMasked: boolean): Buffer {
  return controlFrame(OPCODE_PING, Buffer.alloc(0), isMasked);
}

/** @param reason cut to the 123 bytes that there is room for */
export function closeFrame(code: OwnCloseCode, reason: string, isMasked: boolean): Buffer {
  const said = Buffer.from(reason.replace(/[^\x20-\x7e]/g, '?').slice(0, REASON_BYTES_MAX));
  const payload = Buffer.alloc(2 + said.length);
  payload.writeUInt16BE(code);
  said.copy(payload, 2);
  return controlFrame(OPCODE_CLOSE, payload, isMasked);
}

function controlFrame(opcode: number, payload: Buffer, isMasked: boolean): Buffer {
  const head = Buffer.from([0x80 | opcode, payload.length | (isMasked ? 0x80 : 0)]);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] as number))]);
}
