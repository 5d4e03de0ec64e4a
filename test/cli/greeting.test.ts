import { describe, expect, test } from '@jest/globals';
import { greeting } from '../../src/cli/greeting.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import type { Env } from '../../src/config/env.ts';

const config = (env: Env = {}): Config => loadConfig({ GATEWAY_DATA_DIR: '/data', ...env });
const places = { publicPort: 8_080, privatePort: 9_090, masonUrl: 'http://127.0.0.1:8090' };
const TOKEN = 'mgw_0123456789';
const first = { token: TOKEN, signInPath: '/auth/link#secret' };

describe('what a start tells', () => {
  test('A first start shows the token in one place: a curl that works as printed', () => {
    const text = greeting(config(), places, first);
    expect(text.split(TOKEN)).toHaveLength(2);
    expect(text).toContain(
      `\n  curl -H 'Authorization: Bearer ${TOKEN}' 'http://127.0.0.1:8080/v1/default/device?limit=3'\n`,
    );
    expect(text).toContain('a simulated Mason at http://127.0.0.1:8090/v1');
    expect(text).toContain('http://127.0.0.1:9090/readyz');
    expect(text).toContain('/data');
    expect(text).toContain('\n  http://127.0.0.1:8080/auth/link#secret\n  http://127.0.0.1:8090/example/\n');
  });

  test('A later start shows how to make one, and no token', () => {
    const text = greeting(config(), places, undefined);
    expect(text).not.toContain('mgw_');
    expect(text).toContain('token create --team demo');
    expect(text).toContain('sign-in-link --team demo');
  });

  test('In front of the real Mason nothing is simulated, and it tells how to begin', () => {
    const text = greeting(
      config({ MASON_BASE_URL: 'https://api.bymason.com' }),
      { ...places, masonUrl: 'https://api.bymason.com' },
      undefined,
    );
    expect(text).not.toMatch(/simulat|demo|mgw_/);
    expect(text).toContain('->  https://api.bymason.com/v1');
    expect(text).toContain('key add --team my-team');
  });

  test('An address that only listens is not one to call', () => {
    expect(greeting(config({ GATEWAY_HOST: '0.0.0.0' }), places, undefined)).toContain('http://127.0.0.1:8080/v1');
    expect(greeting(config({ GATEWAY_HOST: '::1' }), places, undefined)).toContain('http://[::1]:8080/v1');
    expect(greeting(config({ GATEWAY_PRIVATE_HOST: '::' }), places, undefined)).toContain(
      'http://127.0.0.1:9090/readyz',
    );
  });
});
