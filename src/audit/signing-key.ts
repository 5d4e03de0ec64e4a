import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { Signature, SigningKey } from '../domain/checkpoint.ts';

const ID_CHARS = 16;
const RAW_BYTES = 32;
/** What stands before the 32 raw bytes of an Ed25519 public key in its DER form (RFC 8410 section 4). */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Names a key by what it is. */
export function signingKeyId(publicKey: Uint8Array): string {
  return hash('sha256', publicKey, 'hex').slice(0, ID_CHARS);
}

/** A new key; `privateKey` as PKCS #8 in DER. */
export function newSigningKey(): { id: string; publicKey: Buffer; privateKey: Buffer } {
  const pair = generateKeyPairSync('ed25519');
  const publicKey = rawPublicKey(pair.publicKey);
  const privateKey = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
  return { id: signingKeyId(publicKey), publicKey, privateKey };
}

/** @param privateKey PKCS #8 in DER */
export function openSigningKey(privateKey: Buffer): KeyObject {
  return createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
}

export function signBytes(key: KeyObject, bytes: Uint8Array): string {
  return sign(null, bytes, key).toString('base64');
}

/** A signature in another spelling is none: it is text that stands on record, and every character of it counts. */
export function isSignedBy(
  publicKey: KeyObject,
  bytes: Uint8Array,
  { signature }: Pick<Signature, 'signature'>,
): boolean {
  const given = Buffer.from(signature, 'base64');
  return given.toString('base64') === signature && verify(null, bytes, publicKey, given);
}

/** Undefined when it is no 32 bytes in base64. */
export function publicKeyOf({ publicKey }: Pick<SigningKey, 'publicKey'>): KeyObject | undefined {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== RAW_BYTES || raw.toString('base64') !== publicKey) return undefined;
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' });
}

/** As `openssl` and everybody else reads it (RFC 7468 section 13). */
export function publicKeyPem(key: Pick<SigningKey, 'publicKey'>): string {
  return publicKeyOf(key)?.export({ format: 'pem', type: 'spki' }).toString() ?? '';
}

/** The raw public keys of all `PUBLIC KEY` blocks of a PEM file; throws where one is no Ed25519 key. */
export function publicKeysInPem(pem: string): Buffer[] {
  return [...pem.matchAll(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g)].map(([block]) => {
    const key = createPublicKey(block);
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`expected Ed25519 keys, got ${key.asymmetricKeyType}`);
    return rawPublicKey(key);
  });
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-RAW_BYTES);
}
