import type { Vault } from './open-vault.ts';
import { VaultError } from './vault-error.ts';

/** Where the check value is kept: the store's settings. */
export interface CheckValues {
  setIfAbsent(name: string, value: string): Promise<string>;
}

const SETTING = 'master_key_check';

/** Whether the store has a master key already, wherever that is: then another one is not made. */
export async function wasSealed(settings: { get(name: string): Promise<string | undefined> }): Promise<boolean> {
  return (await settings.get(SETTING)) !== undefined;
}

/**
 * Tells at the start whether the store was sealed under this master key, instead of with the first call that needs a key. A
 * store without a check value is a new one: it gets one.
 *
 * @throws VaultError `unknown_key`, `unknown_format` or `damaged`, with one line for the operator.
 */
export async function checkMasterKey(vault: Vault, settings: CheckValues): Promise<void> {
  const fresh = Buffer.from(vault.checkValue()).toString('base64url');
  const kept = await settings.setIfAbsent(SETTING, fresh);
  try {
    vault.verifyCheckValue(Buffer.from(kept, 'base64url'));
  } catch (error) {
    const reason = error instanceof VaultError ? error.reason : 'damaged';
    const message = error instanceof VaultError ? error.message : String(error);
    throw new VaultError(
      reason,
      `this master key (${vault.masterKeyId}) is not the one that the store was sealed with: ${message}; put the former ` +
        'master key back: without it the Mason keys in the store cannot be opened',
      error,
    );
  }
}
