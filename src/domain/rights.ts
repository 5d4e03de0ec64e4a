import type { Effect } from './effect.ts';
import type { Scope } from './scope.ts';

/** What somebody may do at Mason: both must allow an operation. */
export interface Rights {
  /** Mason's scopes. */
  readonly scopes: readonly Scope[];
  readonly effectCeiling: Effect;
}
