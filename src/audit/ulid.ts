import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;

/** A ULID: 48 bits of time in milliseconds since 1970, 80 random bits, 26 characters that sort by time. */
export function ulid(epochMs: number): string {
  let time = Math.max(0, Math.trunc(epochMs));
  let text = '';
  for (let place = 0; place < TIME_CHARS; place += 1) {
    text = ALPHABET.charAt(time % 32) + text;
    time = Math.floor(time / 32);
  }
  for (const byte of randomBytes(RANDOM_CHARS)) text += ALPHABET.charAt(byte % 32);
  return text;
}

/** The instant in a ULID, in milliseconds since 1970. */
export function ulidEpochMs(id: string): number {
  let time = 0;
  for (const char of id.slice(0, TIME_CHARS)) time = time * 32 + ALPHABET.indexOf(char);
  return time;
}
