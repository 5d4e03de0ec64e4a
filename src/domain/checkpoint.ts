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
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The newest checkpoints of other gateways' live chains, at most 64: who cuts a chain must cut its witnesses too. */
  readonly seen: readonly { readonly chain: string; readonly seq: number; readonly link: string }[];
}

/** A checkpoint as it is kept, logged and handed out. */
export interface SignedCheckpoint {
  /** Canonical JSON of the {@link Checkpoint}: what was signed, byte for byte; ASCII. */
  readonly text: string;
  /** Of the key that signed it. */
  readonly keyId: string;
  /** Ed25519 (RFC 8032), base64. */
  readonly signature: string;
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

/** Signs with the newest key. */
export interface Signer {
  sign(text: string): { readonly keyId: string; readonly signature: string };
  /** All keys there ever were, oldest first. */
  keys(): readonly SigningKey[];
}
