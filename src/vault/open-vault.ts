import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { Secret } from '../domain/secret.ts';
import { derive, keyId, type MasterKey } from './master-key.ts';
import { openBlob, type SealingKey, sealBlob } from './sealed-blob.ts';

/** Where a sealed Mason key belongs. Moved to another row, team or Mason, it does not open: a demo key never meets the real one. */
export interface KeyBinding {
  readonly teamId: string;
  readonly keyId: string;
  /** Mason's origin, `https://api.bymason.com`. */
  readonly origin: string;
}

/** What is sealed beside Mason keys: the content of sessions, the cookie of a sign-in that is under way, keys that sign the record. */
export type SealPurpose = 'session' | 'flow' | 'signing';

/** Seals Mason keys: the master key seals a data key per team, data keys seal the keys. */
export interface Vault {
  readonly masterKeyId: string;
  /** A fresh data key for a team, sealed: what `Team.sealedDataKey` holds. */
  newDataKey(teamId: string): Uint8Array;
  /** @throws VaultError when the data key does not open. */
  seal(binding: KeyBinding, secret: Secret, sealedDataKey: Uint8Array): Uint8Array;
  /** @throws VaultError when the data key or the key does not open: altered, moved, or sealed under another master key. */
  open(binding: KeyBinding, sealed: Uint8Array, sealedDataKey: Uint8Array): Secret;
  /**
   * Seals under a key of that purpose alone.
   *
   * @param binding what it belongs to: it opens with this one only
   */
  sealFor(purpose: SealPurpose, binding: string, bytes: Uint8Array): Uint8Array;
  /** @throws VaultError when it does not open: altered, moved, of another purpose, or sealed under another master key. */
  openFor(purpose: SealPurpose, binding: string, sealed: Uint8Array): Buffer;
  /** 32 hex digits: equal for one Mason key on every gateway with this master key, and no help to find the key. */
  fingerprint(secret: Secret): string;
  /** A sealed constant, to tell later whether this is still the same master key. */
  checkValue(): Uint8Array;
  /** @throws VaultError when the value was not made by `checkValue` under this master key. */
  verifyCheckValue(value: Uint8Array): void;
}

const DATA_KEY_BYTES = 32;
const FINGERPRINT_BYTES = 16;
const CHECK = ['settings', 'master_key_check'] as const;

export function openVault({ masterKey }: { masterKey: MasterKey }): Vault {
  const fingerprintKey = createSecretKey(derive(masterKey.key, 'fingerprint', 32));
  const purposes = {
    session: keyFor(masterKey, 'session'),
    flow: keyFor(masterKey, 'flow'),
    signing: keyFor(masterKey, 'signing'),
  };

  const dataKeyOf = (teamId: string, sealedDataKey: Uint8Array): SealingKey => {
    const bytes = openBlob(masterKey, dataKeyBinding(teamId), sealedDataKey, `data key of the team ${teamId}`);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    // An id of its own: what it seals stays as it is when another master key wraps it.
    return { id: keyId(key), key };
  };

  return {
    masterKeyId: masterKey.id,

    newDataKey(teamId) {
      const bytes = randomBytes(DATA_KEY_BYTES);
      const sealed = sealBlob(masterKey, dataKeyBinding(teamId), bytes);
      bytes.fill(0);
      return sealed;
    },

    seal(binding, secret, sealedDataKey) {
      const plaintext = Buffer.from(secret.reveal());
      const sealed = sealBlob(dataKeyOf(binding.teamId, sealedDataKey), masonKeyBinding(binding), plaintext);
      plaintext.fill(0);
      return sealed;
    },

    open(binding, sealed, sealedDataKey) {
      const dataKey = dataKeyOf(binding.teamId, sealedDataKey);
      const plaintext = openBlob(dataKey, masonKeyBinding(binding), sealed, `Mason key ${binding.keyId}`);
      const secret = new Secret(plaintext.toString());
      plaintext.fill(0);
      return secret;
    },

    sealFor: (purpose, binding, bytes) => sealBlob(purposes[purpose], [purpose, binding], bytes),

    openFor: (purpose, binding, sealed) => openBlob(purposes[purpose], [purpose, binding], sealed, `sealed ${purpose}`),

    fingerprint: (secret) => fingerprintOf(fingerprintKey, secret),

    checkValue: () => sealBlob(masterKey, CHECK, new Uint8Array()),

    verifyCheckValue(value) {
      openBlob(masterKey, CHECK, value, 'check value of the store');
    },
  };
}

/** The last four characters of a key, for people to tell keys apart; empty where four would be too much to tell. */
export function lastFour(secret: Secret): string {
  const value = secret.reveal();
  return value.length < 12 ? '' : value.slice(-4);
}

function fingerprintOf(key: KeyObject, secret: Secret): string {
  return createHmac('sha256', key).update(secret.reveal()).digest().toString('hex', 0, FINGERPRINT_BYTES);
}

function keyFor(masterKey: MasterKey, purpose: SealPurpose): SealingKey {
  const key = createSecretKey(derive(masterKey.key, `seal ${purpose}`, 32));
  return { id: keyId(key), key };
}

function dataKeyBinding(teamId: string): readonly string[] {
  return ['teams', 'sealed_data_key', teamId];
}

function masonKeyBinding({ teamId, keyId, origin }: KeyBinding): readonly string[] {
  return ['mason_keys', 'sealed', teamId, keyId, origin];
}
