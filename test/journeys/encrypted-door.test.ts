import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/config.ts';
import { problemsOfCertificate } from '../../src/public-certificate.ts';
import { ELSEWHERE, EXPIRED, FIRST, SECOND, type TestCertificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { expectRefusal, expectSecurityHeaders, openBench, type RawBench } from '../support/raw-bench.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { sideBySide } from '../support/side-by-side.ts';

const HEADERS_MS = 300;
/** RFC 8446 section 5.1: the type of an alert. */
const ALERT = '\x15';

const directory = mkdtempSync(join(tmpdir(), 'encrypted-door-'));
const certFile = join(directory, 'tls.crt');
const keyFile = join(directory, 'tls.key');
let bench: RawBench;
beforeAll(async () => {
  put(FIRST);
  bench = await openBench({
    listen: {
      publicUrl: 'https://localhost',
      headersMs: HEADERS_MS,
      requestMs: 500,
      tls: { certFile, keyFile, minVersion: 'TLSv1.2', allowSharedMode: false },
    },
  });
});
afterAll(async () => {
  await bench.close();
  rmSync(directory, { recursive: true, force: true });
});

/** As a careful renewal does it: each file appears whole. */
function put({ cert, key }: TestCertificate): void {
  writeFileSync(`${certFile}.new`, cert);
  writeFileSync(`${keyFile}.new`, key, { mode: 0o600 });
  renameSync(`${certFile}.new`, certFile);
  renameSync(`${keyFile}.new`, keyFile);
}

const encrypted = (options = {}): ReturnType<typeof RawSocket.openTls> =>
  RawSocket.openTls(bench.gateway.port, { ca: FIRST.cert, rejectUnauthorized: true, ...options });
const get = (): string => `GET /v1/default/device?limit=1 HTTP/1.1\r\n${bench.auth}\r\n`;

async function good(): Promise<void> {
  using socket = await encrypted();
  await socket.write(get());
  const answer = await socket.answer();
  expect(answer).toMatchObject({ status: 200, complete: true });
  expectSecurityHeaders(answer);
}

describe('a door that speaks TLS by itself', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('serves calls by %s, and offers HTTP/1.1 alone', async (version) => {
    const offered = { ALPNProtocols: ['h2', 'http/1.1'], minVersion: version, maxVersion: version };
    using socket = await encrypted(offered);
    expect([socket.tls.getProtocol(), socket.tls.alpnProtocol]).toEqual([version, 'http/1.1']);
    await socket.write(get(), get());
    for (const _ of [1, 2]) expect(await socket.answer()).toMatchObject({ status: 200, complete: true });
  });

  test.each([
    // RFC 8996; without the seal of level 0 this client would not even ask.
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, /PROTOCOL_VERSION/],
    ['HTTP/2 alone (RFC 7301 3.2)', { ALPNProtocols: ['h2'] }, /NO_APPLICATION_PROTOCOL/],
    ['a cipher without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }, /HANDSHAKE_FAILURE/],
  ] as const)('refuses %s in the handshake', async (_, options, alert) => {
    await expect(encrypted(options)).rejects.toMatchObject({ code: expect.stringMatching(alert) });
    await good();
  });

  interface Case {
    readonly danger: string;
    readonly bytes: () => string;
    /** Inside TLS: the answer before the end. Undefined: there is no handshake, and nothing but the end. */
    readonly status?: number;
    /** Milliseconds from one byte to the next. */
    readonly dripMs?: number;
  }
  const HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03';
  const CASES: readonly Case[] = [
    { danger: 'plain HTTP', bytes: get },
    { danger: 'an HTTP/2 preface', bytes: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
    { danger: 'garbage', bytes: () => '\x00\x01\x02garbage\r\n\r\n' },
    { danger: 'nothing', bytes: () => '' },
    { danger: 'half a handshake', bytes: () => HELLO },
    { danger: 'a handshake that drips', bytes: () => HELLO.padEnd(500, '\x7f'), dripMs: 10 },
    { danger: 'what is no HTTP, in TLS', status: 400, bytes: () => 'garbage\r\n\r\n' },
    { danger: 'headers that stop, in TLS', status: 408, bytes: () => get().slice(0, -4) },
    {
      danger: 'a body that stops, in TLS',
      status: 408,
      bytes: () => `POST /v1/default/group HTTP/1.1\r\n${bench.auth}Content-Length: 9\r\n\r\n{`,
    },
    {
      danger: 'two lengths, in TLS',
      status: 400,
      bytes: () => `GET /v1 HTTP/1.1\r\n${bench.auth}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    },
  ];

  describe('that hears something else', () => {
    let outcomes: ReturnType<typeof sideBySide<Case, void>>;
    beforeAll(async () => {
      await good();
      await bench.forget();
      outcomes = sideBySide(CASES, async ({ bytes, status, dripMs }) => {
        using socket = status === undefined ? await bench.open() : await encrypted();
        for (const piece of dripMs === undefined ? [bytes()] : bytes()) {
          if (socket.isClosed) break;
          await socket.write(piece);
          if (dripMs !== undefined) await new Promise((resolve) => setTimeout(resolve, dripMs));
        }
        if (status !== undefined) expectRefusal(await socket.answer(), status);
        await socket.closed();
        // At most an alert.
        expect(socket.rest[0] ?? ALERT).toBe(ALERT);
      });
    });

    test.each(CASES)('closes on $danger (status inside TLS: $status)', (row) => outcomes.of(row));

    test('passes nothing of it on, and goes on', async () => {
      await bench.untouched();
      await good();
    });
  });

  test('tells who uploads too much, although it goes on sending (RFC 9112 9.6)', async () => {
    using socket = await encrypted();
    const more = Buffer.alloc(2_000_000, 0x20);
    const sent = socket.write(
      `POST /v1/default/group HTTP/1.1\r\n${bench.auth}Content-Length: ${more.length}\r\n\r\n`,
      more,
    );
    expectRefusal(await socket.answer(), 413);
    await sent;
    await socket.closed();
  });

  test('sets Secure cookies bound to the host, since the sign-in came by https (security A1, A3)', async () => {
    const { secret } = (await bench.gateway.administer('link.create', {
      name: 'Somebody',
      grants: [{ role: 'viewer', team: 'alpha' }],
    })) as { secret: string };
    const body = JSON.stringify({ secret });
    using socket = await encrypted();
    await socket.write(
      'POST /auth/link HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nSec-Fetch-Site: same-origin\r\n' +
        `X-Requested-By: test\r\nX-Forwarded-Proto: http\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const { status, headers } = await socket.answer();
    expect(status).toBe(200);
    expect(headers['set-cookie']).toMatch(
      /^__Host-mason-gateway=[^;]+; Path=\/;(?: Expires=[^;]+;)? HttpOnly; Secure; SameSite=Strict$/,
    );
  });
});

describe('a certificate that is renewed under a running gateway', () => {
  test('is what the next caller sees, and whoever is connected goes on', async () => {
    using before = await encrypted();
    await before.write(get());
    expect(await before.answer()).toMatchObject({ status: 200 });
    const { raw } = before.tls.getPeerCertificate();
    put(SECOND);
    await eventually('the new one is in use', async () => {
      using socket = await encrypted({ rejectUnauthorized: false });
      return !socket.tls.getPeerCertificate().raw.equals(raw);
    });
    await before.write(get());
    expect(await before.answer()).toMatchObject({ status: 200 });
    const metrics = await (await fetch(`${bench.gateway.privateUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mason_gateway_tls_certificate_expires_seconds [\d.e+]+$/m);
    expect(metrics).toMatch(/^mason_gateway_tls_certificate_problem 0$/m);
    expect(await (await fetch(`${bench.gateway.privateUrl}/readyz`)).json()).toMatchObject({
      status: 'ready',
      state: { certificate: expect.stringMatching(/^expires in \d+ days$/) },
    });
  });
});

test('"config check" reads the certificate, and tells all that callers would refuse it for', async () => {
  const configFile = join(directory, 'gateway.yaml');
  const problems = async (certificate: TestCertificate, publicUrl = 'https://localhost'): Promise<string[]> => {
    put(certificate);
    writeFileSync(
      configFile,
      `listen:\n  publicUrl: ${publicUrl}\n  tls: { certFile: ${certFile}, keyFile: ${keyFile} }\n`,
    );
    return await problemsOfCertificate(loadConfig({ GATEWAY_CONFIG: configFile }));
  };
  expect(await problems(FIRST)).toEqual([]);
  expect(await problems(FIRST, 'https://127.0.0.1:8443')).toEqual([]);
  expect(await problems({ ...FIRST, key: SECOND.key })).toEqual([
    expect.stringMatching(/^listen\.tls: expected the key/),
  ]);
  expect(await problems(EXPIRED, 'https://gateway.example.com')).toEqual([
    expect.stringMatching(/^listen\.tls\.certFile: .*has expired on 2021-01-01$/),
    expect.stringMatching(/does not name gateway\.example\.com/),
  ]);
  expect(await problems(ELSEWHERE, 'https://a.elsewhere.example')).toEqual([]);
  expect(await problemsOfCertificate(loadConfig({ GATEWAY_CONFIG: 'test/house/empty.yaml' }))).toEqual([]);
});
