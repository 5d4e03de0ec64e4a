import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../domain/clock.ts';
import { type Certificate, type CertificateFiles, certificateProblems, readCertificate } from './certificate.ts';

export interface CertificateSettings extends CertificateFiles {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** The host that callers know, which the certificate should name. */
  readonly host: string;
}

/** How the certificate is, for those who run the gateway. */
export interface CertificateHealth {
  /** Seconds until the one in use expires; below 0 when it has. */
  readonly expiresInSeconds: number;
  /** What is wrong with the one in use, or why the one on disk is not in use; undefined when all is well. */
  readonly problem: string | undefined;
}

/** The content is compared, not the time or number of a file: links that are swapped and clocks that are coarse fool nobody. */
const LOOK_EVERY_MS = 2_000;
const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;

/**
 * Keeps the certificate of a listener: looks at its files every two seconds, and takes a new pair into use without a restart. A
 * pair that is worse than the one in use (unreadable, not fitting, expired, of another host) is not taken, and is told of.
 */
export class CertificateKeeper implements Disposable {
  readonly #settings: CertificateSettings;
  readonly #clock: Clock;
  readonly #tell: (level: 'info' | 'warn' | 'error', text: string) => void;
  #current: Certificate;
  #refused: string | undefined;
  /** Half of a pair may be replaced already: what is wrong is believed at the second look. */
  #suspected: string | undefined;
  #told = { text: '', at: 0 };
  #cancel: () => void;
  #follow: ((context: SecureContextOptions) => void) | undefined;

  private constructor(
    settings: CertificateSettings,
    clock: Clock,
    tell: (level: 'info' | 'warn' | 'error', text: string) => void,
    first: Certificate,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#tell = tell;
    this.#current = first;
    this.#cancel = this.#lookLater();
    this.#remind();
  }

  /**
   * @param tell what operators should read, each problem at once and then once a day
   * @throws Error with one clear line when there is no certificate to begin with; one that callers will refuse is told of only
   */
  static async open(
    settings: CertificateSettings,
    clock: Clock,
    tell: (level: 'info' | 'warn' | 'error', text: string) => void,
  ): Promise<CertificateKeeper> {
    return new CertificateKeeper(settings, clock, tell, await readCertificate(settings));
  }

  /** What a server is made with. */
  get context(): SecureContextOptions {
    const { cert, key } = this.#current;
    return { cert, key, minVersion: this.#settings.minVersion };
  }

  /** Hears of each new pair; connections that are open go on with the one before. */
  follow(follow: (context: SecureContextOptions) => void): void {
    this.#follow = follow;
  }

  health(): CertificateHealth {
    const now = this.#clock.epochMs();
    return {
      expiresInSeconds: Math.floor((this.#current.validUntil - now) / 1_000),
      problem: this.#refused ?? this.#problemsOf(this.#current)[0],
    };
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #lookLater(): () => void {
    return this.#clock.after(LOOK_EVERY_MS, () => {
      let gone = false;
      this.#cancel = () => {
        gone = true;
      };
      void this.#look().finally(() => {
        if (!gone) this.#cancel = this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    try {
      const found = await readCertificate(this.#settings);
      if (found.digest !== this.#current.digest) this.#consider(found);
      else this.#refused = this.#suspected = undefined;
    } catch (error) {
      this.#suspect((error as Error).message);
    }
    this.#remind();
  }

  #consider(found: Certificate): void {
    const [problem] = this.#problemsOf(found);
    if (problem !== undefined && this.#problemsOf(this.#current).length === 0) {
      this.#suspect(problem);
      return;
    }
    this.#current = found;
    this.#refused = this.#suspected = undefined;
    this.#follow?.(this.context);
    this.#tell(
      'info',
      `a new certificate is in use: ${found.names}, until ${new Date(found.validUntil).toISOString()}`,
    );
  }

  #suspect(problem: string): void {
    if (this.#suspected === problem) this.#refused = `the certificate on disk is not in use: ${problem}`;
    this.#suspected = problem;
  }

  #remind(): void {
    const { problem, expiresInSeconds } = this.health();
    const soon = expiresInSeconds * 1_000 < SOON_MS ? 'the certificate expires in less than 14 days' : undefined;
    const text = problem ?? soon ?? '';
    const now = this.#clock.now();
    if (text === this.#told.text && now - this.#told.at < DAY_MS) return;
    this.#told = { text, at: now };
    if (text !== '') this.#tell(problem === undefined ? 'warn' : 'error', text);
  }

  #problemsOf(certificate: Certificate): string[] {
    return certificateProblems(certificate, this.#settings.host, this.#clock.epochMs());
  }
}
