import type { StoredSession } from '../domain/session.ts';
import type { Vault } from '../vault/open-vault.ts';
import { VaultError } from '../vault/vault-error.ts';
import { providerDigest, type SignIn } from './sign-in.ts';

/** What a session says, sealed: who holds the store alone can neither read nor forge it. */
export interface SessionContent {
  /** Public id, `ses_…`. */
  readonly id: string;
  readonly personId: string;
  readonly issuer: string;
  readonly providerSid?: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970: when it ends, whatever happens. */
  readonly endsAt: number;
  /** From where it was begun. */
  readonly address: string;
  /** At most 256 characters. */
  readonly userAgent: string;
}

/** A sign-in, with where it came from. */
export interface NewSession extends SignIn {
  readonly address: string;
  readonly userAgent: string;
}

const USER_AGENT_CHARACTERS_MAX = 256;

export type SessionSeal = Pick<Vault, 'sealFor' | 'openFor'>;

/** What a session that begins at `createdAt` says. */
export function newContent(given: NewSession, id: string, createdAt: number, absoluteMs: number): SessionContent {
  const { person, issuer, providerSid, address, userAgent } = given;
  return {
    id,
    personId: person.id,
    issuer,
    ...(providerSid === undefined ? {} : { providerSid }),
    createdAt,
    endsAt: createdAt + absoluteMs,
    address,
    userAgent: userAgent.slice(0, USER_AGENT_CHARACTERS_MAX),
  };
}

/** A new session as the store keeps it, its content sealed and bound to the digest. */
export function toStored(seal: SessionSeal, digest: string, content: SessionContent): StoredSession {
  const { id, personId, issuer, providerSid, createdAt, endsAt } = content;
  return {
    digest,
    id,
    personId,
    providerDigest: providerSid === undefined ? undefined : providerDigest(issuer, providerSid),
    endsAt,
    lastSeenAt: createdAt,
    sealed: seal.sealFor('session', digest, Buffer.from(JSON.stringify(content))),
  };
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
