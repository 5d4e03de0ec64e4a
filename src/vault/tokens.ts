import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 30;
const CHECKSUM_CHARACTERS = 6;
const FORM = /^mgw_[0-9A-Za-z]{36}$/;
/** The largest multiple of 62 in a byte: bytes from here on would make some characters likelier than others. */
const UNBIASED_BYTES_END = 248;

/**
 * A new gateway token: `mgw_`, 30 random base62 characters (178 bits), 6 for the CRC-32 of what stands before. A plain
 * string, because it is made to be shown, once; nothing keeps it.
 */
export function newToken(): string {
  const body = `mgw_${randomBase62(RANDOM_CHARACTERS)}`;
  return body + checksum(body);
}

/** SHA-256, base64url: what is stored. Fast on purpose: 178 random bits need no slow hash, and every call comes here. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'base64url');
}

/** Whether it could be a token of ours, without a look-up: strangers, typing errors and cut tokens end here. */
export function isWellFormedToken(token: string): boolean {
  if (!FORM.test(token)) return false;
  return token.slice(-CHECKSUM_CHARACTERS) === checksum(token.slice(0, -CHECKSUM_CHARACTERS));
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let place = 0; place < CHECKSUM_CHARACTERS; place += 1) {
    text = ALPHABET.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      if (byte < UNBIASED_BYTES_END) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}
