import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openContent, toStored } from '../../src/session/session-content.ts';
import { masterKeyFrom } from '../../src/vault/master-key.ts';
import { openVault } from '../../src/vault/open-vault.ts';
import { VaultError } from '../../src/vault/vault-error.ts';

const vault = openVault({ masterKey: masterKeyFrom(randomBytes(32), 'of the test') });
const BYTES = Buffer.from('content');

describe('B12: what is sealed for browsers', () => {
  test('opens for the same purpose and binding, and nothing else', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.uint8Array({ maxLength: 300 }), (one, other, bytes) => {
        const sealed = vault.sealFor('session', one, bytes);
        expect(vault.openFor('session', one, sealed).equals(bytes)).toBe(true);
        expect(() => vault.openFor('flow', one, sealed)).toThrow(VaultError);
        if (one !== other) expect(() => vault.openFor('session', other, sealed)).toThrow(VaultError);
      }),
    );
  });

  test('opens under no other master key, and with no bit changed', () => {
    const sealed = vault.sealFor('flow', 'x', BYTES);
    const stranger = openVault({ masterKey: masterKeyFrom(randomBytes(32), 'x') });
    expect(() => stranger.openFor('flow', 'x', sealed)).toThrow(VaultError);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Uint8Array.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => vault.openFor('flow', 'x', altered)).toThrow(VaultError);
    }
  });

  test('the key for one purpose is not the key for another, nor the one that seals data keys', () => {
    const ids = [vault.sealFor('session', 'x', BYTES), vault.sealFor('flow', 'x', BYTES), vault.newDataKey('x')].map(
      (sealed) => Buffer.from(sealed.subarray(1, 9)).toString('hex'),
    );
    expect(new Set(ids).size).toBe(3);
  });

  test('a session whose content does not open is none, not a failure', () => {
    const content = {
      id: 'ses_1',
      personId: 'per_1',
      issuer: 'i',
      createdAt: 1,
      endsAt: 2,
      address: '',
      userAgent: '',
    };
    const { sealed } = toStored(vault, 'digest', content);
    expect(openContent(vault, 'digest', sealed)).toEqual(content);
    expect(openContent(vault, 'other', sealed)).toBeUndefined();
    expect(openContent(vault, 'digest', new Uint8Array())).toBeUndefined();
  });
});
