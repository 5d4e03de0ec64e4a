import type { Vault } from '../vault/open-vault.ts';
import { VaultError } from '../vault/vault-error.ts';

/** What a session says, sealed: who holds the store alone can neither read nor forge it. */
export interface SessionContent {
  /** Public id, `ses_…`. */
  readonly id: string;
  readonly personId: string;
  readonly issuer: string;
  readonly providerSid?: string;
  readonly idToken?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970: when it ends, whatever happens. */
  readonly endsAt: number;
  /** From where it was begun. */
  readonly address: string;
  /** At most 256 characters. */
  readonly userAgent: string;
}

export type SessionSeal = Pick<Vault, 'sealFor' | 'openFor'>;

/** Seals the content of a session, bound to its digest. */
export function sealContent(seal: SessionSeal, digest: string, content: SessionContent): Uint8Array {
  return seal.sealFor('session', digest, Buffer.from(JSON.stringify(content)));
}

/** The content, or undefined for what does not open: altered, moved from another session, or of another master key. */
export function openContent(seal: SessionSeal, digest: string, sealed: Uint8Array): SessionContent | undefined {
  try {
    return JSON.parse(seal.openFor('session', digest, sealed).toString()) as SessionContent;
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}
