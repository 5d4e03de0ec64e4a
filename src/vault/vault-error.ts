/**
 * Why something sealed, or the master key itself, is of no use. For the operator: at the start the message is printed, later
 * it is logged, and callers see `internal`.
 */
export type VaultErrorReason =
  | 'master_key_missing'
  | 'master_key_exists'
  | 'master_key_shared'
  | 'master_key_malformed'
  | 'master_key_weak'
  | 'master_key_unusable'
  | 'unknown_key'
  | 'unknown_format'
  | 'damaged';

export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly reason: VaultErrorReason;

  constructor(reason: VaultErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
