import { readFileSync } from 'node:fs';
import { Secret } from '../domain/secret.ts';

/** What a client brings to a connection, and whom it believes; without `ca`: who the system believes. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
}

interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/**
 * Reads the files that a room's `tls` names.
 *
 * @throws Error with one clear line
 */
export function readTlsFiles(room: string, { caFile, certFile, keyFile }: TlsFiles): TlsMaterial {
  return {
    ...(caFile === undefined ? {} : { ca: readText(`${room}.tls.caFile`, caFile) }),
    ...(certFile === undefined ? {} : { cert: readText(`${room}.tls.certFile`, certFile) }),
    ...(keyFile === undefined ? {} : { key: new Secret(readText(`${room}.tls.keyFile`, keyFile)) }),
  };
}

function readText(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${setting}: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${file}`);
  }
}
