import type { Secret } from '../../domain/secret.ts';

/** Where a PostgreSQL is, and how it is reached. */
export interface PostgresSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret | undefined;
  /** Undefined: in the clear. Without `ca`: whom the system believes. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: Secret } | undefined;
  /** Of one gateway's store, at least 3. */
  readonly connectionsMax: number;
  /** Milliseconds that one attempt to connect may take. */
  readonly connectMs: number;
}
