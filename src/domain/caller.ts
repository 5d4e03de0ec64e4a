import type { Effect } from './effect.ts';
import type { Scope } from './scope.ts';

/** Who makes a call, with the rights that count for it. Always of exactly one team. */
export interface Caller {
  readonly kind: 'app';
  readonly team: { readonly id: string; readonly slug: string };
  readonly app: { readonly id: string; readonly name: string; readonly weight: number };
  /** Public id of the token. */
  readonly tokenId: string;
  readonly scopes: readonly Scope[];
  readonly effectCeiling: Effect;
  readonly urgencyMin: number;
}
