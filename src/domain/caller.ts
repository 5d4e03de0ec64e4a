import type { Rights } from './rights.ts';

interface AnyCaller extends Rights {
  readonly team: { readonly id: string; readonly slug: string };
  /** Whose part of the line it takes: the app's, or the person's. */
  readonly share: { readonly id: string; readonly weight: number };
  /** The most urgent `Priority: u=` that it may ask for. */
  readonly urgencyMin: number;
}

/** A program, by its gateway token. */
export interface AppCaller extends AnyCaller {
  readonly kind: 'app';
  readonly app: { readonly id: string; readonly name: string };
  /** Public id of the token. */
  readonly tokenId: string;
}

/** Somebody's page, by its session. */
export interface PersonCaller extends AnyCaller {
  readonly kind: 'person';
  readonly person: { readonly id: string; readonly name: string };
  /** Public id of the session. */
  readonly sessionId: string;
}

/** Who makes a call, with the rights that count for it. Always of exactly one team. */
export type Caller = AppCaller | PersonCaller;
