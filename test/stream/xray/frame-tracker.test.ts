import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Direction } from '../../../src/stream/xray/direction.ts';
import { FrameTracker } from '../../../src/stream/xray/frame-tracker.ts';
import { closeFrame, pingFrame } from '../../../src/stream/xray/own-frames.ts';

/** A frame by RFC 6455 section 5.2, made on its own. */
function frameOf(opcode: number, payload: Buffer, isMasked: boolean, final = true): Buffer {
  const { length } = payload;
  const small = length < 126 ? length : length < 65_536 ? 126 : 127;
  const head = Buffer.from([(final ? 0x80 : 0) | opcode, small | (isMasked ? 0x80 : 0)]);
  const extended = Buffer.alloc(small === 126 ? 2 : small === 127 ? 8 : 0);
  if (small === 126) extended.writeUInt16BE(length);
  if (small === 127) extended.writeBigUInt64BE(BigInt(length));
  if (!isMasked) return Buffer.concat([head, extended, payload]);
  const mask = Buffer.from([0x11, 0xa2, 0x33, 0xc4]);
  return Buffer.concat([head, extended, mask, payload.map((byte, at) => byte ^ (mask[at % 4] as number))]);
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0x0, 0x1, 0x2, 0x9, 0xa),
    length: fc.oneof(fc.nat(125), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536, 70_000)),
    isMasked: fc.boolean(),
    final: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);
const cuts = fc.array(fc.nat(), { maxLength: 60 });

function bytesOf({
  opcode,
  length,
  isMasked,
  final,
}: {
  opcode: number;
  length: number;
  isMasked: boolean;
  final: boolean;
}): Buffer {
  const payload = Buffer.alloc(opcode < 8 ? length : Math.min(length, 125));
  for (let at = 0; at < payload.length; at++) payload[at] = (at * 31 + length) % 256;
  return frameOf(opcode, payload, isMasked, final);
}

/** The same bytes in pieces, cut anywhere; many cuts are among the first bytes, where headers are. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place, n) => place % (n % 2 === 0 ? Math.min(bytes.length, 64) : bytes.length)))];
  const pieces: Buffer[] = [];
  let from = 0;
  for (const place of [...places.toSorted((a, b) => a - b), bytes.length]) {
    pieces.push(bytes.subarray(from, place));
    from = place;
  }
  return pieces;
}

describe('where frames end, whatever pieces their bytes come in', () => {
  test('It is found exactly, and no earlier', () => {
    fc.assert(
      fc.property(frames, cuts, (given, at) => {
        const whole = given.map(bytesOf);
        const bytes = Buffer.concat(whole);
        const tracker = new FrameTracker();
        const ends: number[] = [];
        let before = 0;
        for (const piece of cut(bytes, at)) {
          for (let from = 0; from < piece.length; ) {
            from = tracker.advance(piece, from);
            if (tracker.atFrameEnd) ends.push(before + from);
            else expect(from).toBe(piece.length);
          }
          before += piece.length;
        }
        let sum = 0;
        expect(ends).toEqual(whole.map(({ length }) => (sum += length)));
      }),
    );
  });

  test('What a close frame says is read, masked or not; one that says nothing is 1005', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 4999 }),
        fc.string({ maxLength: 40 }),
        fc.boolean(),
        cuts,
        (code, why, isMasked, at) => {
          const payload = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(why)]);
          for (const [said, expected] of [
            [payload, code],
            [Buffer.alloc(0), 1005],
          ] as const) {
            const tracker = new FrameTracker();
            const bytes = Buffer.concat([frameOf(2, Buffer.from('data'), isMasked), frameOf(8, said, isMasked)]);
            for (const piece of cut(bytes, at))
              for (let from = 0; from < piece.length; ) from = tracker.advance(piece, from);
            expect(tracker.closeCode).toBe(expected);
          }
        },
      ),
    );
  });

  test('Only data counts as use: control frames do not', () => {
    const tracker = new FrameTracker();
    tracker.advance(frameOf(9, Buffer.from('ping'), true), 0);
    tracker.advance(frameOf(10, Buffer.from('pong'), false), 0);
    expect(tracker.dataBytes).toBe(0);
    tracker.advance(frameOf(2, Buffer.from('data'), true), 0);
    expect(tracker.dataBytes).toBeGreaterThan(0);
  });
});

describe('frames of ours', () => {
  test('They stand between two frames of theirs, never in one, and no byte of theirs is lost or moved', () => {
    fc.assert(
      fc.property(frames, cuts, fc.array(fc.nat(20), { maxLength: 6 }), (given, at, when) => {
        const bytes = Buffer.concat(given.map((frame) => bytesOf({ ...frame, opcode: 2 })));
        const out: Buffer[] = [];
        const direction = new Direction((piece) => {
          out.push(Buffer.from(piece));
          return true;
        });
        for (const [n, piece] of cut(bytes, at).entries()) {
          if (when.includes(n)) direction.say(pingFrame(false));
          direction.pass(piece);
        }
        const theirs = read(Buffer.concat(out)).filter(({ opcode }) => opcode !== 9);
        expect(Buffer.concat(theirs.map(({ all }) => all)).equals(bytes)).toBe(true);
        expect(direction.bytes).toBe(bytes.length);
      }),
    );
  });

  test('Behind our close frame nothing of theirs passes; a frame that was passing passes whole', () => {
    const out: Buffer[] = [];
    const direction = new Direction((piece) => {
      out.push(piece);
      return true;
    });
    const [first, second] = [frameOf(2, Buffer.alloc(300, 1), true), frameOf(2, Buffer.alloc(5, 2), true)];
    direction.pass(first.subarray(0, 100));
    direction.sayLast(closeFrame(1012, 'service restart', true));
    expect([direction.hasOwn, direction.isClosed]).toEqual([true, false]);
    direction.pass(Buffer.concat([first.subarray(100), second]));
    direction.say(pingFrame(true));
    expect([direction.hasOwn, direction.isClosed]).toEqual([false, true]);
    const passed = read(Buffer.concat(out));
    expect(passed.map(({ opcode }) => opcode)).toEqual([2, 8]);
    expect(passed[0]?.all.equals(first)).toBe(true);
    expect(passed[1]?.payload.readUInt16BE(0)).toBe(1012);
    expect(passed[1]?.payload.toString('latin1', 2)).toBe('service restart');
  });

  test('A reason that is too long, or could break a frame, is cut and made plain', () => {
    const [frame] = read(closeFrame(1008, `é\r\n${'x'.repeat(300)}`, false));
    expect(frame?.payload.length).toBe(125);
    expect(frame?.payload.toString('latin1', 2, 8)).toBe('???xxx');
  });
});

/** Reads frames as a receiver does, by the RFC, in one go. */
function read(bytes: Buffer): { opcode: number; payload: Buffer; all: Buffer }[] {
  const read: { opcode: number; payload: Buffer; all: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const small = (bytes[at + 1] as number) & 0x7f;
    const isMasked = ((bytes[at + 1] as number) & 0x80) !== 0;
    let head = 2;
    let length = small;
    if (small === 126) [length, head] = [bytes.readUInt16BE(at + 2), 4];
    if (small === 127) [length, head] = [Number(bytes.readBigUInt64BE(at + 2)), 10];
    const mask = isMasked ? bytes.subarray(at + head, at + head + 4) : Buffer.alloc(4);
    if (isMasked) head += 4;
    const end = at + head + length;
    const payload = bytes.subarray(at + head, end).map((byte, n) => byte ^ (mask[n % 4] as number));
    read.push({ opcode: (bytes[at] as number) & 0x0f, payload: Buffer.from(payload), all: bytes.subarray(at, end) });
    at = end;
  }
  return read;
}
