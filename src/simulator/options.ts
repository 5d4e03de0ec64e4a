import type { LimiterKind } from './limit/make-limiter.ts';

/** An API key as the fleet's owner would have made it in Mason's web app. */
export interface KeyOptions {
  readonly key: string;
  readonly scopes: readonly string[];
  /** What statistics call it; `key-1`, `key-2` … when not given. */
  readonly label?: string;
  /** Whose it is: matters for a limit per account only. */
  readonly account?: string;
}

/** Uniform between both, in milliseconds. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export const RETRY_AFTER_FORMS = ['seconds', 'date', 'none'] as const;
export const RATE_HEADER_DIALECTS = ['ietf', 'ietf-old', 'x-ratelimit', 'x-rate-limit', 'none'] as const;
export const RATE_RESET_FORMS = ['left', 'epoch', 'epoch-ms'] as const;
export const LIMIT_SCOPES = ['key', 'account'] as const;

export interface LimitOptions {
  /** At least 1. */
  readonly calls: number;
  readonly windowMs: number;
  readonly kind: LimiterKind;
  /** Token bucket only: how many calls may come at once; `calls` when not given. */
  readonly depth?: number;
  readonly scope: (typeof LIMIT_SCOPES)[number];
}

export interface SimulatorOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly seed: number;
  readonly devices: number;
  readonly groups: number;
  readonly keys: readonly KeyOptions[];
  /** Absent: every call with a valid key is accepted. */
  readonly limit?: LimitOptions;
  readonly retryAfter: (typeof RETRY_AFTER_FORMS)[number];
  readonly rateHeaders: (typeof RATE_HEADER_DIALECTS)[number];
  /** How the two X- dialects write their reset: seconds left, or an epoch. */
  readonly rateReset: (typeof RATE_RESET_FORMS)[number];
  /** Mason's own work: after the call was counted. */
  readonly latency: Range;
  /** The way to Mason: before the call is counted. */
  readonly jitter: Range;
  readonly keepRequests: number;
  /** An idle connection is closed after so many milliseconds, without a hint in a header. */
  readonly keepAliveMs: number;
  /** Origin of the gateway that the example frontend uses; absent: the page says that nobody named one. */
  readonly gatewayUrl?: string;
}

/** Known to everybody who reads this: for demonstrations on one machine only. */
export const DEFAULT_KEYS: readonly KeyOptions[] = [
  { key: 'demo-owner-key', scopes: ['account:owner'], label: 'owner' },
  { key: 'demo-reader-key', scopes: ['fleet:read'], label: 'reader' },
];

export const DEFAULT_OPTIONS: SimulatorOptions = {
  host: '127.0.0.1',
  port: 0,
  seed: 1,
  devices: 200,
  groups: 8,
  keys: DEFAULT_KEYS,
  retryAfter: 'seconds',
  rateHeaders: 'none',
  rateReset: 'left',
  latency: { min: 0, max: 0 },
  jitter: { min: 0, max: 0 },
  keepRequests: 1000,
  keepAliveMs: 5000,
};
