import { createSecretKey, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Secret } from '../../src/domain/secret.ts';
import { masterKeyFrom } from '../../src/vault/master-key.ts';
import { type KeyBinding, lastFour, openVault } from '../../src/vault/open-vault.ts';
import { openBlob, sealBlob } from '../../src/vault/sealed-blob.ts';
import { VaultError } from '../../src/vault/vault-error.ts';

const masterKey = masterKeyFrom(randomBytes(32), 'of the test');
const vault = openVault({ masterKey });
const BINDING: KeyBinding = { teamId: 'team_1', keyId: 'key_1', origin: 'https://api.bymason.com' };
const SECRET = new Secret('mason-canary-7f3a90');

function reasonOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof VaultError) return error.reason;
    throw error;
  }
  return 'opened';
}

describe('the vault', () => {
  const dataKey = vault.newDataKey('team_1');
  const sealed = vault.seal(BINDING, SECRET, dataKey);

  test('opens what it sealed, whatever the key looks like', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (value) => {
        const blob = vault.seal(BINDING, new Secret(value), dataKey);
        expect(vault.open(BINDING, blob, dataKey).reveal()).toBe(value.toWellFormed());
      }),
    );
  });

  test('the database alone opens nothing: no part of the key stands in what is stored', () => {
    const stored = Buffer.concat([dataKey, sealed]).toString('latin1');
    expect(stored).not.toContain('canary');
    expect(inspect(vault, { depth: 9, showHidden: true })).not.toContain('canary');
    expect(
      reasonOf(() => openVault({ masterKey: masterKeyFrom(randomBytes(32), 'x') }).open(BINDING, sealed, dataKey)),
    ).toBe('unknown_key');
  });

  test('sealing twice never gives the same bytes: a nonce used twice would give the key away', () => {
    const blobs = Array.from({ length: 500 }, () => Buffer.from(vault.seal(BINDING, SECRET, dataKey)).toString('hex'));
    expect(new Set(blobs).size).toBe(500);
    expect(new Set(blobs.map((blob) => blob.slice(18, 42))).size).toBe(500);
  });

  test('every single flipped bit is refused, in the key and in the data key', () => {
    for (const [kind, blob] of [
      ['key', sealed],
      ['data key', dataKey],
    ] as const) {
      for (let bit = 0; bit < blob.length * 8; bit += 1) {
        const altered = Uint8Array.from(blob);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const attempt = () =>
          kind === 'key' ? vault.open(BINDING, altered, dataKey) : vault.open(BINDING, sealed, altered);
        expect(['damaged', 'unknown_format', 'unknown_key']).toContain(reasonOf(attempt));
      }
    }
  });

  test('every truncation and every appended byte is refused: a 4-byte tag would take 2^32 guesses', () => {
    for (let length = 0; length < sealed.length; length += 1) {
      expect(reasonOf(() => vault.open(BINDING, sealed.subarray(0, length), dataKey))).not.toBe('opened');
      expect(reasonOf(() => vault.open(BINDING, sealed.subarray(sealed.length - length), dataKey))).not.toBe('opened');
    }
    expect(reasonOf(() => vault.open(BINDING, Buffer.concat([sealed, Uint8Array.of(0)]), dataKey))).toBe('damaged');
  });

  test.each([
    ['team', { ...BINDING, teamId: 'team_2' }],
    ['key', { ...BINDING, keyId: 'key_2' }],
    ['Mason', { ...BINDING, origin: 'https://demo.example.test' }],
    ['shifted parts', { ...BINDING, keyId: 'key_1https://api.bymason.com', origin: '' }],
  ])('a row moved to another %s is refused', (_, moved) => {
    expect(reasonOf(() => vault.open(moved, sealed, dataKey))).toBe('damaged');
  });

  test('a data key moved to another team, or put where a key belongs, is refused', () => {
    const other = vault.newDataKey('team_2');
    expect(reasonOf(() => vault.open(BINDING, sealed, other))).toBe('damaged');
    expect(reasonOf(() => vault.open(BINDING, sealed, vault.newDataKey('team_1')))).toBe('unknown_key');
    expect(reasonOf(() => vault.open(BINDING, dataKey, dataKey))).toBe('unknown_key');
  });

  test('an unknown version and an unknown master key are told apart, by name', () => {
    const future = Uint8Array.from(dataKey);
    future[0] = 2;
    expect(() => vault.open(BINDING, sealed, future)).toThrow(/expected the sealed format 1, found 2/);
    const stranger = openVault({ masterKey: masterKeyFrom(randomBytes(32), 'x') });
    expect(() => stranger.open(BINDING, sealed, dataKey)).toThrow(
      `sealed by the key ${vault.masterKeyId}, expected ${stranger.masterKeyId}`,
    );
  });

  test('fingerprints are equal on every gateway with this master key, and on no other', () => {
    const again = openVault({ masterKey });
    expect(again.fingerprint(SECRET)).toBe(vault.fingerprint(SECRET));
    expect(vault.fingerprint(SECRET)).toMatch(/^[0-9a-f]{32}$/);
    expect(vault.fingerprint(new Secret('mason-canary-7f3a91'))).not.toBe(vault.fingerprint(SECRET));
    const stranger = openVault({ masterKey: masterKeyFrom(randomBytes(32), 'x') });
    expect(stranger.fingerprint(SECRET)).not.toBe(vault.fingerprint(SECRET));
  });

  test('of a short key not even four characters are shown', () => {
    expect(lastFour(SECRET)).toBe('3a90');
    expect(lastFour(new Secret('12345678901'))).toBe('');
    expect(lastFour(new Secret('123456789012'))).toBe('9012');
  });

  test('errors carry nothing of the secret or the keys', () => {
    const error = (() => {
      try {
        vault.open({ ...BINDING, keyId: 'key_2' }, sealed, dataKey);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
  });
});

describe('a sealed value', () => {
  test('keeps the parts of its binding apart', () => {
    const key = { id: '00'.repeat(8), key: createSecretKey(randomBytes(32)) };
    const part = fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (sealedFor, openedFor) => {
        fc.pre(JSON.stringify(sealedFor) !== JSON.stringify(openedFor));
        const blob = sealBlob(key, sealedFor, Buffer.from('x'));
        expect(() => openBlob(key, openedFor, blob, 'it')).toThrow(VaultError);
      }),
    );
  });
});
