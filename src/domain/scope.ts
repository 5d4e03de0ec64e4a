/**
 * What a Mason key, or a gateway token, allows: a name such as `fleet:read`. Compared without regard to case.
 * The tree of Mason's scopes lives in `mason/scopes.ts`.
 */
export type Scope = string;

/** Scopes of the gateway's own management; disjoint from Mason's. */
export const GATEWAY_SCOPES = ['gateway:audit', 'gateway:usage', 'gateway:admin'] as const;
