import { Gauge, type Registry } from 'prom-client';
import type { CertificateHealth } from './certificate-keeper.ts';

/** What to alarm on before callers notice: days left, and a renewal that went wrong. */
export function addCertificateGauges(registry: Registry, health: () => CertificateHealth): void {
  const add = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  add(
    'mason_gateway_tls_certificate_expires_seconds',
    'Seconds until the certificate in use expires; below 0 when it has.',
    () => health().expiresInSeconds,
  );
  add(
    'mason_gateway_tls_certificate_problem',
    '1 while callers refuse the certificate in use, or the one on disk cannot be used.',
    () => (health().problem === undefined ? 0 : 1),
  );
}
