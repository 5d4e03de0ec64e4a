import type { KeyObject } from 'node:crypto';
import type { KeptSigningKey, Signer, SigningKey, SigningKeys } from '../domain/checkpoint.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { newSigningKey, openSigningKey, signBytes } from './signing-key.ts';

export interface SignerOptions {
  readonly keys: SigningKeys;
  readonly clock: Clock;
  /** Seals a private key so that it opens for this key's id only, and opens it again (throws when it does not). */
  readonly seal: (keyId: string, privateKey: Buffer) => Uint8Array;
  readonly open: (keyId: string, sealed: Uint8Array) => Buffer;
}

/**
 * Signs with the newest key of the store; makes the first one where there is none.
 *
 * @throws GatewayError `store_unavailable`; VaultError when the newest key does not open
 */
export async function openSigner(options: SignerOptions): Promise<Signer> {
  const signer = new StoredSigner(options);
  await signer.refresh();
  if (signer.keys().length === 0) await signer.make();
  return signer;
}

class StoredSigner implements Signer {
  readonly #options: SignerOptions;
  #keys: readonly KeptSigningKey[] = [];
  #newest: { readonly id: string; readonly key: KeyObject } | undefined;

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  sign(text: string): { keyId: string; signature: string } {
    const { id, key } = this.#ready();
    return { keyId: id, signature: signBytes(key, Buffer.from(text, 'latin1')) };
  }

  keys(): readonly SigningKey[] {
    return this.#keys.map(({ sealed, ...key }) => key);
  }

  async refresh(): Promise<void> {
    const keys = await this.#options.keys.list();
    const newest = keys.at(-1);
    if (newest !== undefined && newest.id !== this.#newest?.id) {
      const privateKey = this.#options.open(newest.id, newest.sealed);
      this.#newest = { id: newest.id, key: openSigningKey(privateKey) };
      privateKey.fill(0);
    }
    this.#keys = keys;
  }

  async rotate(): Promise<SigningKey> {
    await this.refresh();
    const id = await this.make();
    const made = this.keys().find((key) => key.id === id);
    if (made === undefined)
      throw new GatewayError('conflict', 'another signing key was made at the same time: look again');
    return made;
  }

  /** Makes a key, unless another comes first; either way there is one then. Answers its id. */
  async make(): Promise<string> {
    const { id, publicKey, privateKey } = newSigningKey();
    const before = this.#newest;
    const signedBy = before && { keyId: before.id, signature: signBytes(before.key, publicKey) };
    await this.#options.keys.add({
      id,
      publicKey: publicKey.toString('base64'),
      createdAt: this.#options.clock.epochMs(),
      ...(signedBy === undefined ? {} : { signedBy }),
      sealed: this.#options.seal(id, privateKey),
    });
    privateKey.fill(0);
    await this.refresh();
    return id;
  }

  #ready(): { readonly id: string; readonly key: KeyObject } {
    if (this.#newest === undefined) throw new Error('there is no signing key');
    return this.#newest;
  }
}
