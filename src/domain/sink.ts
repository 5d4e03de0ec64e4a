/** How one of those is that follow the record and take it elsewhere. */
export interface SinkHealth {
  readonly id: string;
  readonly kind: 'file' | 'webhook' | 'stdout';
  readonly format: string;
  /** Events on record that it has not delivered. */
  readonly lagEvents: number;
  /** Seconds since it had delivered all there was; 0 when it has. */
  readonly lagSeconds: number;
  /** Why it cannot deliver now, in words for an operator; absent when all is well. */
  readonly problem?: string | undefined;
  /** The chain that it delivered last, and up to which event; absent before the first. */
  readonly chain?: string | undefined;
  readonly seq?: number | undefined;
}
