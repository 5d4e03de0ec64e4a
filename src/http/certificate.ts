import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';

/** Where a certificate stands, with its key; both PEM. */
export interface CertificateFiles {
  /** The certificate first, then those that lead to one that callers trust. */
  readonly certFile: string;
  readonly keyFile: string;
  /** For read-only mounts that cannot set a mode: takes the key whatever its mode. */
  readonly allowSharedMode: boolean;
}

/** A certificate and the key that fits it. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly names: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Of the bytes of both files: equal ones are the same pair. */
  readonly digest: string;
  readonly namesHost: (host: string) => boolean;
}

/** A chain of a few certificates has some kilobytes; whatever is much longer is another file. */
const FILE_BYTES_MAX = 262_144;
const GROUP_WRITE = 0o020;
const WORLD = 0o007;

/**
 * Reads a certificate and its key.
 *
 * @throws Error with one clear line that names the file and nothing of its content: not there, readable or writable for
 * others, not PEM, of two different pairs
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const { certFile, keyFile, allowSharedMode } = files;
  const cert = await readBounded('certFile', certFile);
  const key = await readBounded('keyFile', keyFile, allowSharedMode ? 0 : WORLD | GROUP_WRITE);
  const leaf = parsed(() => new X509Certificate(cert), `certFile: expected a certificate as PEM in ${certFile}`);
  const own = parsed(() => createPrivateKey(key), `keyFile: expected a key as PEM, without a password, in ${keyFile}`);
  if (!leaf.checkPrivateKey(own)) {
    throw new Error(`listen.tls: expected the key of the first certificate in ${certFile}, got another in ${keyFile}`);
  }
  return {
    cert,
    key,
    names: leaf.subjectAltName ?? leaf.subject,
    validFrom: leaf.validFromDate.getTime(),
    validUntil: leaf.validToDate.getTime(),
    digest: createHash('sha256').update(cert).update('\0').update(key).digest('hex'),
    // Browsers look at the alternative names only, never at the subject (RFC 9525 section 6.4).
    namesHost: (host) =>
      (isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host)) !== undefined,
  };
}

/** Why callers would refuse a certificate that fits its key; empty when they would not for any of these reasons. */
export function certificateProblems(certificate: Certificate, host: string, epochMs: number): string[] {
  const { names, validFrom, validUntil } = certificate;
  const problems: string[] = [];
  if (epochMs >= validUntil) problems.push(`the certificate has expired on ${dayOf(validUntil)}`);
  if (epochMs < validFrom) problems.push(`the certificate is not valid before ${dayOf(validFrom)}`);
  if (!certificate.namesHost(host)) {
    problems.push(`the certificate does not name ${host}, the host of listen.publicUrl; it names ${names}`);
  }
  return problems;
}

function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

async function readBounded(setting: string, file: string, refusedBits = 0): Promise<Buffer> {
  const where = `listen.tls.${setting}`;
  try {
    await using handle = await open(file, 'r');
    // Of the open file, not of the name: nobody can swap it between the check and the reading.
    const { mode, size } = await handle.stat();
    if ((mode & 0o170000) !== 0o100000 || size > FILE_BYTES_MAX) {
      throw new Refusal(
        `${where}: expected a file of at most ${FILE_BYTES_MAX} bytes at ${file}, found something else`,
      );
    }
    if ((mode & refusedBits) !== 0) {
      throw new Refusal(
        `${where}: expected mode 0600, 0400 or 0440, found 0${(mode & 0o777).toString(8)}: others can get at ${file}; ` +
          `chmod 600 it, or set listen.tls.allowSharedMode for a mount that cannot`,
      );
    }
    return await handle.readFile();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Error(`${where}: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${file}`);
  }
}

class Refusal extends Error {}

function parsed<T>(parse: () => T, expected: string): T {
  try {
    return parse();
  } catch {
    // What OpenSSL says of it may quote it.
    throw new Error(`listen.tls.${expected}, got something else`);
  }
}
