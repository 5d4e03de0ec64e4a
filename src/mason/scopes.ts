import type { Scope } from '../domain/scope.ts';

/** Mason's tree of scopes, child → parent, as documented; `assumed` marks what nobody states. */
const PARENTS: Readonly<Record<string, string | null>> = {
  'account:owner': null,
  'fleet:admin': 'account:owner',
  'fleet:manager': 'fleet:admin',
  'fleet:deploy': 'fleet:manager',
  'fleet:move': 'fleet:manager',
  'fleet:read': 'fleet:manager',
  'fleet:locate': 'fleet:admin',
  'notify:all': 'fleet:admin',
  'notify:refresh': 'notify:all',
  'notify:check': 'notify:all',
  'notify:reboot': 'notify:all',
  'notify:shutdown': 'notify:all',
  'notify:wipe': 'notify:all',
  'notify:application': 'notify:all',
  'notify:refurbish': 'notify:all',
  'xray:admin': 'account:owner',
  'user:admin': 'account:owner',
  'user:read': 'user:admin',
  'registry:admin': 'account:owner',
  'registry:read': 'registry:admin', // assumed
  'connect:admin': 'account:owner', // assumed
  'connect:read': 'connect:admin', // assumed
};

const ANCESTRY: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.keys(PARENTS).map((scope) => [scope, new Set(lineOf(scope))]),
);

function lineOf(scope: string): string[] {
  const parent = PARENTS[scope];
  return parent === undefined || parent === null ? [scope] : [scope, ...lineOf(parent)];
}

/** All scopes that Mason documents, in the order of its tree. */
export const MASON_SCOPES: readonly Scope[] = Object.keys(PARENTS);

export function isKnownScope(scope: Scope): boolean {
  return ANCESTRY.has(scope.toLowerCase());
}

/** Whether one of the scopes held is the one needed, or an ancestor of it. A scope that the tree lacks covers itself only. */
export function covers(held: readonly Scope[], needed: Scope): boolean {
  const wanted = needed.toLowerCase();
  const line = ANCESTRY.get(wanted);
  return held.some((scope) => {
    const own = scope.toLowerCase();
    return own === wanted || (line?.has(own) ?? false);
  });
}

/** How much a set of scopes allows: the number of scopes of Mason's that it covers. Fewer is less power. */
export function power(held: readonly Scope[]): number {
  return MASON_SCOPES.filter((scope) => covers(held, scope)).length;
}
