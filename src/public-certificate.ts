import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from './config/config.ts';
import { systemClock } from './domain/clock.ts';
import { certificateProblems, readCertificate } from './http/certificate.ts';
import { addCertificateGauges } from './http/certificate-gauges.ts';
import { CertificateKeeper, type CertificateSettings } from './http/certificate-keeper.ts';

/**
 * Opens the certificate of the public door, with its gauges; undefined where a load balancer ends TLS.
 *
 * @throws Error with one clear line when there is no certificate to begin with
 */
export async function openCertificate(
  { listen }: Config,
  log: Logger,
  registry: Registry,
): Promise<CertificateKeeper | undefined> {
  const settings = settingsOf(listen);
  if (settings === undefined) return undefined;
  const keeper = await CertificateKeeper.open(settings, systemClock, (level, text) =>
    log[level]({ room: 'tls' }, text),
  );
  addCertificateGauges(registry, () => keeper.health());
  return keeper;
}

/** What `/readyz` says of it. No reason to send calls elsewhere: other gateways have the same certificate. */
export function certificateState(keeper: CertificateKeeper | undefined): Record<string, string> {
  if (keeper === undefined) return {};
  const { expiresInSeconds, problem } = keeper.health();
  const days = Math.floor(expiresInSeconds / 86_400);
  return { certificate: problem ?? `expires in ${days} ${days === 1 ? 'day' : 'days'}` };
}

/** Why callers would refuse the certificate that the settings name, or why it cannot be used at all; empty when all is well. */
export async function problemsOfCertificate({ listen }: Config): Promise<string[]> {
  const settings = settingsOf(listen);
  if (settings === undefined) return [];
  try {
    const certificate = await readCertificate(settings);
    const problems = certificateProblems(certificate, settings.host, systemClock.epochMs());
    return problems.map((problem) => `listen.tls.certFile: ${settings.certFile}: ${problem}`);
  } catch (error) {
    return [(error as Error).message];
  }
}

function settingsOf({ tls, publicUrl }: Config['listen']): CertificateSettings | undefined {
  // The configuration refuses TLS without a public address.
  if (tls === undefined || publicUrl === undefined) return undefined;
  return { ...tls, host: new URL(publicUrl).hostname.replace(/^\[|\]$/g, '') };
}
