import type { KeyObject } from 'node:crypto';
import type { Signature, SigningKey } from '../../domain/checkpoint.ts';
import { isSignedBy, publicKeyOf, signingKeyId } from '../signing-key.ts';

/** What a signature proved: nothing, where a reason stands. */
export type Judged = { readonly problem?: string };

interface Known {
  readonly key: KeyObject;
  readonly isTrusted: boolean;
}

/**
 * The keys that signatures are judged by: those that the record names, each signed by the one before, from the first on; and
 * where the auditor brought public keys of their own, only those and what they signed.
 */
export class KeyRing {
  readonly #known = new Map<string, Known>();
  readonly #own = new Set<string>();
  readonly #onProblem: (problem: string) => void;
  #newest: string | undefined;

  /** @param own raw public keys that the auditor has from elsewhere; empty: none */
  constructor(own: readonly Uint8Array[], onProblem: (problem: string) => void) {
    this.#onProblem = onProblem;
    for (const raw of own) {
      const id = signingKeyId(raw);
      const key = publicKeyOf({ publicKey: Buffer.from(raw).toString('base64') });
      if (key === undefined) continue;
      this.#own.add(id);
      this.#known.set(id, { key, isTrusted: true });
    }
  }

  /** Whether what is trusted came from outside of the record. */
  get isFromOutside(): boolean {
    return this.#own.size > 0;
  }

  /** Ids of those that are trusted. */
  get trusted(): string[] {
    return [...this.#known].filter(([, { isTrusted }]) => isTrusted).map(([id]) => id);
  }

  /** Takes a key that the record names, in the order in which it names them. */
  add(given: SigningKey): void {
    const key = publicKeyOf(given);
    const raw = Buffer.from(given.publicKey, 'base64');
    if (key === undefined || signingKeyId(raw) !== given.id) {
      this.#onProblem(`the signing key ${given.id} is not what its id says`);
      return;
    }
    const before = this.#newest;
    const isFirst = before === undefined;
    if (isFirst === (given.signedBy !== undefined) || (before !== undefined && given.signedBy?.keyId !== before)) {
      this.#onProblem(
        `the signing key ${given.id} does not name the key before it, ${before ?? 'of which there is none'}`,
      );
    }
    this.#newest = given.id;
    const issuer = given.signedBy && this.#known.get(given.signedBy.keyId);
    const isSigned =
      given.signedBy !== undefined && issuer !== undefined && isSignedBy(issuer.key, raw, given.signedBy);
    if (given.signedBy !== undefined && !isSigned) {
      this.#onProblem(`the signing key ${given.id} is not signed by the key before it, ${given.signedBy.keyId}`);
    }
    const isTrusted = this.#own.has(given.id) || (isSigned && issuer.isTrusted) || (isFirst && !this.isFromOutside);
    this.#known.set(given.id, { key, isTrusted });
  }

  /** @param text ASCII */
  judge(text: string, signature: Signature): Judged {
    const known = this.#known.get(signature.keyId);
    if (known === undefined)
      return { problem: `signed by the key ${signature.keyId.slice(0, 64)}, which is not known` };
    if (!isSignedBy(known.key, Buffer.from(text, 'latin1'), signature))
      return { problem: 'its signature does not hold' };
    if (!known.isTrusted) return { problem: `signed by the key ${signature.keyId}, which is not one that you trust` };
    return {};
  }
}
