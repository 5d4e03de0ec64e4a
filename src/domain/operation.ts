import type { Effect } from './effect.ts';
import type { Scope } from './scope.ts';

/** Where the targets (devices, groups) of a call stand. */
export interface TargetSource {
  readonly kind: 'device' | 'group';
  /** A path parameter by name, or a field of the JSON body: a string or a list of strings. */
  readonly from: { readonly path: string } | { readonly body: string };
}

/** One operation of Mason's API, as data. */
export interface Operation {
  /** Stable name, on record: `device.list`. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the origin; `{name}` stands for exactly one segment: `/v1/default/device/{id}`. */
  readonly path: string;
  readonly scope: Scope;
  readonly effect: Effect;
  readonly targets: readonly TargetSource[];
  /** Whether the answer is a list with `nextPage`. */
  readonly paged: boolean;
  /** `buffered`: body up to a bound, may be sent again; `stream`: never held in memory. */
  readonly transfer: 'buffered' | 'stream';
  /** What the connection becomes once Mason accepts. */
  readonly upgrade?: 'websocket';
  /** The word that `Gateway-Confirm` must carry, for what cannot be undone. */
  readonly confirm?: string;
  /** Whether Mason documents it, or somebody saw or assumed it. */
  readonly standing: 'doc' | 'code' | 'seen' | 'assumed' | 'configured';
}

/** A device or group that a call acts on. */
export interface Target {
  readonly kind: 'device' | 'group';
  readonly name: string;
}
