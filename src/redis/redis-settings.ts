import type { Secret } from '../domain/secret.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is and how it is spoken to. */
export interface RedisSettings {
  readonly at:
    | (HostAndPort & { readonly kind: 'server' })
    /** Whoever the sentinels call the master of that name. */
    | { readonly kind: 'sentinel'; readonly name: string; readonly hosts: readonly HostAndPort[] }
    /** Some nodes of the cluster: the others are learnt from them. */
    | { readonly kind: 'cluster'; readonly hosts: readonly HostAndPort[] };
  /** Number of the database; a cluster has 0 only. */
  readonly db: number;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  /** Undefined: in the clear. Contents, not files. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: Secret } | undefined;
  /** Before every key. Without braces, which would decide over the hash slot. */
  readonly keyPrefix: string;
  /** How long one command may take. */
  readonly commandMs: number;
  /** How long one attempt to connect may take. */
  readonly connectMs: number;
}
