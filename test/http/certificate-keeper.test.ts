import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { certificateProblems, readCertificate } from '../../src/http/certificate.ts';
import { addCertificateGauges } from '../../src/http/certificate-gauges.ts';
import { CertificateKeeper } from '../../src/http/certificate-keeper.ts';
import { certificateState } from '../../src/public-certificate.ts';
import { ELSEWHERE, EXPIRED, FIRST, SECOND, type TestCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Time can jump over a day without the looks of that day. */
class JumpingClock extends VirtualClock {
  #ahead = 0;

  override now(): number {
    return super.now() + this.#ahead;
  }

  jump(ms: number): void {
    this.#ahead += ms;
  }
}

let directory: string;
let clock: JumpingClock;
let said: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'certificate-'));
  clock = new JumpingClock();
  said = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const settings = (more = {}) => ({
  certFile: join(directory, 'tls.crt'),
  keyFile: join(directory, 'tls.key'),
  allowSharedMode: false,
  minVersion: 'TLSv1.2' as const,
  host: 'localhost',
  ...more,
});

function put({ cert, key }: TestCertificate, mode = 0o600, into = directory): void {
  writeFileSync(join(into, 'tls.crt'), cert);
  rmSync(join(into, 'tls.key'), { force: true });
  writeFileSync(join(into, 'tls.key'), key, { mode });
}

async function open(): Promise<{ keeper: CertificateKeeper; used: string[] }> {
  const keeper = await CertificateKeeper.open(settings(), clock, (level, text) => said.push(`${level}: ${text}`));
  const used: string[] = [];
  keeper.follow((context: SecureContextOptions) => used.push(String(context.cert)));
  return { keeper, used };
}

/** Lets one look at the files begin and end. */
async function look(): Promise<void> {
  await clock.advance(2_000);
  await eventually('the look has ended', () => clock.timers === 1);
}

/** What the metrics say of a problem. */
async function gauge(keeper: CertificateKeeper): Promise<number> {
  const registry = new Registry();
  addCertificateGauges(registry, () => keeper.health());
  return Number(/^mason_gateway_tls_certificate_problem (\d)$/m.exec(await registry.metrics())?.[1]);
}

describe('a certificate that is renewed', () => {
  test('is in use from the next look on, without a restart', async () => {
    put(FIRST);
    const { keeper, used } = await open();
    using _ = keeper;
    await look();
    expect(used).toEqual([]);
    put(SECOND);
    await look();
    expect(used).toEqual([SECOND.cert]);
    expect(keeper.context).toMatchObject({ minVersion: 'TLSv1.2', key: Buffer.from(SECOND.key) });
    expect(said).toEqual([expect.stringMatching(/^info: a new certificate is in use: .*localhost/)]);
    expect(keeper.health()).toEqual({ expiresInSeconds: expect.any(Number), problem: undefined });
  });

  test('by a link that is swapped under both files at once, as Kubernetes does it, is seen', async () => {
    const [before, after] = [join(directory, '..1'), join(directory, '..2')];
    for (const [place, certificate] of [
      [before, FIRST],
      [after, SECOND],
    ] as const) {
      const mount = mkdtempSync(`${place}-`);
      put(certificate, 0o600, mount);
      symlinkSync(mount, place);
    }
    symlinkSync(before, join(directory, '..data'));
    symlinkSync('..data/tls.crt', join(directory, 'tls.crt'));
    symlinkSync('..data/tls.key', join(directory, 'tls.key'));
    const { keeper, used } = await open();
    using _ = keeper;
    symlinkSync(after, join(directory, '..next'));
    renameSync(join(directory, '..next'), join(directory, '..data'));
    await look();
    expect(used).toEqual([SECOND.cert]);
  });

  test('one file after the other is no alarm while it is half done', async () => {
    put(FIRST);
    const { keeper, used } = await open();
    using _ = keeper;
    writeFileSync(join(directory, 'tls.crt'), SECOND.cert);
    await look();
    expect(keeper.health().problem).toBeUndefined();
    writeFileSync(join(directory, 'tls.key'), SECOND.key);
    await look();
    expect(used).toEqual([SECOND.cert]);
    expect(said.filter((line) => !line.startsWith('info'))).toEqual([]);
  });
});

describe('a certificate that is worse than the one in use is not taken, and loudly told of', () => {
  const broken: readonly (readonly [string, () => void, RegExp])[] = [
    ['is gone', () => rmSync(join(directory, 'tls.crt')), /expected a readable file, got ENOENT/],
    ['is cut off', () => put({ ...SECOND, cert: SECOND.cert.slice(0, 300) }), /expected a certificate as PEM/],
    ['is empty', () => put({ ...SECOND, cert: '' }), /expected a certificate as PEM/],
    ['has no key', () => put({ ...SECOND, key: 'no key' }), /expected a key as PEM/],
    ['does not fit its key', () => put({ ...SECOND, key: FIRST.key }), /expected the key of the first certificate/],
    ['has a key that everybody can read', () => put(SECOND, 0o644), /expected mode 0600, 0400 or 0440, found 0644/],
    ['has expired', () => put(EXPIRED), /has expired on 2021-01-01/],
    ['is of another host', () => put(ELSEWHERE), /does not name localhost.*it names DNS:\*\.elsewhere\.example/],
  ];

  test.each(broken)('because it %s', async (_, breakIt, problem) => {
    put(FIRST);
    const { keeper, used } = await open();
    using _keeper = keeper;
    breakIt();
    await look();
    await look();
    expect(keeper.health().problem).toMatch(problem);
    expect(said).toEqual([expect.stringMatching(problem)]);
    expect(said[0]).toMatch(/^error: the certificate on disk is not in use: /);
    expect(certificateState(keeper)).toEqual({ certificate: keeper.health().problem });
    expect(said[0]).not.toContain(SECOND.key.split('\n')[1]);
    expect(used).toEqual([]);
    expect(await gauge(keeper)).toBe(1);
    put(SECOND);
    await look();
    expect(used).toEqual([SECOND.cert]);
    expect(keeper.health().problem).toBeUndefined();
    expect(await gauge(keeper)).toBe(0);
  });

  test('it is told again each day, not each look', async () => {
    put(FIRST);
    const { keeper } = await open();
    using _ = keeper;
    rmSync(join(directory, 'tls.key'));
    for (let looks = 0; looks < 5; looks += 1) await look();
    expect(said).toHaveLength(1);
    clock.jump(86_400_000);
    await look();
    expect(said).toHaveLength(2);
    keeper[Symbol.dispose]();
    expect(clock.timers).toBe(0);
  });
});

describe('the certificate to begin with', () => {
  test('that cannot be used stops the start with one line', async () => {
    await expect(open()).rejects.toThrow(
      /^listen\.tls\.certFile: expected a readable file, got ENOENT for .*tls\.crt$/,
    );
    put({ ...FIRST, key: SECOND.key });
    await expect(open()).rejects.toThrow(/^listen\.tls: expected the key of the first certificate/);
  });

  test('that callers refuse starts, so that a restart makes nothing worse, and says so', async () => {
    put(EXPIRED);
    const { keeper, used } = await open();
    using _ = keeper;
    expect(said).toEqual(['error: the certificate has expired on 2021-01-01']);
    expect(keeper.health().expiresInSeconds).toBeLessThan(0);
    put(ELSEWHERE);
    await look();
    expect(used).toEqual([ELSEWHERE.cert]);
  });

  test('a key that its group can write, or anybody read, is refused unless the mount cannot do better', async () => {
    for (const mode of [0o604, 0o620, 0o601]) {
      put(FIRST, 0o600);
      chmodSync(join(directory, 'tls.key'), mode);
      await expect(readCertificate(settings())).rejects.toThrow(`found 0${mode.toString(8)}`);
      expect((await readCertificate(settings({ allowSharedMode: true }))).key.toString()).toBe(FIRST.key);
    }
    for (const mode of [0o600, 0o400, 0o440]) {
      put(FIRST, mode);
      expect((await readCertificate(settings())).cert).toEqual(readFileSync(join(directory, 'tls.crt')));
    }
  });

  test('is checked against the host and the day', async () => {
    put(ELSEWHERE);
    const { namesHost, ...rest } = await readCertificate(settings());
    const at = (host: string, epochMs: number) => certificateProblems({ namesHost, ...rest }, host, epochMs);
    expect(at('a.elsewhere.example', rest.validFrom)).toEqual([]);
    expect(at('a.b.elsewhere.example', rest.validFrom)).toHaveLength(1);
    expect(at('localhost', rest.validUntil)).toEqual([
      expect.stringMatching(/has expired on 2119-12-31/),
      expect.stringMatching(/does not name localhost/),
    ]);
    expect(at('a.elsewhere.example', rest.validFrom - 1)).toEqual([
      expect.stringMatching(/not valid before 2020-01-01/),
    ]);
    put(FIRST);
    expect((await readCertificate(settings())).namesHost('127.0.0.1')).toBe(true);
  });
});
