import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { VaultError } from './vault-error.ts';

/*
 * A sealed value says itself how to open it:
 *
 *   byte 0       version of this format, 1
 *   bytes 1–8    id of the key that sealed it
 *   bytes 9–20   nonce, random, never used twice with one key (96 bits: NIST SP 800-38D section 8.2.2)
 *   then         ciphertext, as long as the plaintext
 *   last 16      tag
 */
const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
/** Given to Node explicitly: without it, Node opens values whose tag was cut to 4 bytes (CWE-354). */
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

export interface SealingKey {
  /** 16 hex digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** What a sealed value belongs to; it opens nowhere else. The order counts, the number of parts too. */
export type Binding = readonly string[];

/** Seals with AES-256-GCM, bound to the version, the key's id and `binding`. */
export function sealBlob(sealingKey: SealingKey, binding: Binding, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealingKey.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated(sealingKey.id, binding));
  return Buffer.concat([
    Uint8Array.of(VERSION),
    Buffer.from(sealingKey.id, 'hex'),
    nonce,
    cipher.update(plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/**
 * @param what what is opened, for the message
 * @throws VaultError `unknown_format`, `unknown_key` when another key sealed it, or `damaged` for what was altered, cut or moved.
 */
export function openBlob(sealingKey: SealingKey, binding: Binding, blob: Uint8Array, what: string): Buffer {
  if (blob[0] !== VERSION) {
    throw new VaultError(
      'unknown_format',
      `${what}: expected the sealed format ${VERSION}, found ${blob[0] ?? 'nothing'}: was it written by a newer release?`,
    );
  }
  if (blob.length < HEADER_BYTES + TAG_BYTES) throw damaged(what);
  const keyId = Buffer.from(blob.subarray(1, 1 + KEY_ID_BYTES)).toString('hex');
  if (keyId !== sealingKey.id) {
    throw new VaultError('unknown_key', `${what}: sealed by the key ${keyId}, expected ${sealingKey.id}`);
  }
  const decipher = createDecipheriv('aes-256-gcm', sealingKey.key, blob.subarray(1 + KEY_ID_BYTES, HEADER_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associated(keyId, binding));
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(HEADER_BYTES, blob.length - TAG_BYTES));
  try {
    // Only now is it known to be what was sealed; in GCM final() adds no bytes.
    decipher.final();
    return plaintext;
  } catch (error) {
    plaintext.fill(0);
    throw damaged(what, error);
  }
}

/** JSON, because it keeps the parts apart: ["a","bc"] is not ["ab","c"]. */
function associated(keyId: string, binding: Binding): Buffer {
  return Buffer.from(JSON.stringify(['mason-gateway', VERSION, keyId, ...binding]));
}

function damaged(what: string, cause?: unknown): VaultError {
  return new VaultError('damaged', `${what}: altered, cut, or moved from where it was sealed`, cause);
}
