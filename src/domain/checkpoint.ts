/** What a gateway says of its own chain, and of those it sees beside it, at one moment. */
export interface Checkpoint {
  readonly v: 1;
  /** `<gateway id>/<run>`. */
  readonly chain: string;
  /** Of the last event. */
  readonly seq: number;
  /** Of the last batch. */
  readonly batch: number;
  /** Link of that batch, hex. */
  readonly link: string;
  /** Milliseconds since 1970: when it was signed. */
  readonly at: number;
  /** The newest checkpoints of other gateways' live chains, at most 64: who cuts a chain must cut its witnesses too. */
  readonly seen: readonly { readonly chain: string; readonly seq: number; readonly link: string }[];
}

/** A checkpoint as it is kept, logged and handed out. */
export interface SignedCheckpoint extends Signature {
  /** Canonical JSON of the {@link Checkpoint}: what was signed, byte for byte; ASCII. */
  readonly text: string;
}

/** A key that signs checkpoints and manifests, without its private half. */
export interface SigningKey {
  /** First 16 hex digits of the SHA-256 of the raw public key: names it by what it is. */
  readonly id: string;
  /** 32 raw bytes, base64. */
  readonly publicKey: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The key before it, which signed this one (its raw bytes); absent on the first. */
  readonly signedBy?: { readonly keyId: string; readonly signature: string };
}

/** A key as the store keeps it. */
export interface KeptSigningKey extends SigningKey {
  /** The private half, sealed for this key's id (see the vault): PKCS #8. */
  readonly sealed: Uint8Array;
}

/** The signing keys of all gateways of one store. Every method may throw GatewayError `store_unavailable`. */
export interface SigningKeys {
  /** All there ever were, in the order in which they were added. */
  list(): Promise<readonly KeptSigningKey[]>;
  /** False, and nothing is added, unless the newest key is the one that signed this one (on the first: there is none). */
  add(key: KeptSigningKey): Promise<boolean>;
}

export interface Signature {
  readonly keyId: string;
  /** Ed25519 (RFC 8032), base64. */
  readonly signature: string;
}

/** Signs with the newest key. */
export interface Signer {
  /** @param text ASCII */
  sign(text: string): Signature;
  /** All keys there ever were, oldest first. */
  keys(): readonly SigningKey[];
  /** Looks whether there is a newer key: another gateway may have made one. Throws GatewayError `store_unavailable`. */
  refresh(): Promise<void>;
  /** Makes a new key, signed by the one before, and signs with it from now on. Throws as `refresh`; `conflict` when another came first. */
  rotate(): Promise<SigningKey>;
}

/** What an export says of itself, in the end: canonical JSON of it is signed, as with checkpoints. */
export interface Manifest {
  readonly v: 1;
  readonly export: 'mason-gateway';
  /** Milliseconds since 1970: when it was begun. */
  readonly at: number;
  /** What was asked for; empty: all there is, which then verifies as chains. */
  readonly filter: Readonly<Record<string, string | number | readonly string[]>>;
  /** Lines of events. */
  readonly events: number;
  /** SHA-256 of all bytes before the manifest's line, hex. */
  readonly sha256: string;
  /** Where each chain stood when the export was begun. */
  readonly heads: readonly {
    readonly chain: string;
    readonly seq: number;
    readonly batch: number;
    readonly link: string;
  }[];
}
