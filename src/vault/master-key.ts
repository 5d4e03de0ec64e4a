import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { VaultError } from './vault-error.ts';

export const MASTER_KEY_BYTES = 32;

/** 32 random bytes show about 30 distinct values; fewer than this never happens by chance. */
const DISTINCT_BYTES_MIN = 16;

/** The key that everything sealed hangs on. A KeyObject shows its bytes to nobody who prints it. */
export interface MasterKey {
  /** 16 hex digits derived from the key: tells which one sealed something, and nothing else. */
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * @param bytes copied; the caller wipes its own
 * @param source where they come from, for the message
 * @throws VaultError `master_key_malformed` for a wrong length, `master_key_weak` for what nobody drew at random.
 */
export function masterKeyFrom(bytes: Uint8Array, source: string): MasterKey {
  if (bytes.length !== MASTER_KEY_BYTES) {
    throw new VaultError(
      'master_key_malformed',
      `master key ${source}: expected ${MASTER_KEY_BYTES} bytes in base64, found ${bytes.length}`,
    );
  }
  const weakness = weaknessOf(bytes);
  if (weakness !== undefined) {
    throw new VaultError(
      'master_key_weak',
      `master key ${source}: expected ${MASTER_KEY_BYTES} random bytes, found ${weakness}; make one with: openssl rand -base64 32`,
    );
  }
  const key = createSecretKey(bytes);
  return { id: keyId(key), key };
}

/** 16 hex digits that tell keys apart, and nothing else about them. */
export function keyId(key: KeyObject): string {
  return derive(key, 'id', 8).toString('hex');
}

/** A key for one purpose, from which neither the key above nor that of another purpose can be found (RFC 5869). */
export function derive(key: KeyObject, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `mason-gateway ${purpose} v1`, bytes));
}

function weaknessOf(bytes: Uint8Array): string | undefined {
  const distinct = new Set(bytes).size;
  if (distinct === 1) return 'the same byte throughout';
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'plain text';
  if (distinct < DISTINCT_BYTES_MIN) return `only ${distinct} different bytes`;
  return undefined;
}
