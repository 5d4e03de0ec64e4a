/** Mason's scopes, each with its children: a parent allows whatever its children allow. */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  'account:owner': ['fleet:admin', 'xray:admin', 'user:admin', 'registry:admin', 'connect:admin'],
  // fleet:locate stands beside fleet:manager, not below it: whoever manages devices may not know where people carry them.
  'fleet:admin': ['fleet:manager', 'fleet:locate', 'notify:all'],
  'fleet:manager': ['fleet:deploy', 'fleet:move', 'fleet:read'],
  'notify:all': [
    'notify:refresh',
    'notify:check',
    'notify:reboot',
    'notify:shutdown',
    'notify:wipe',
    'notify:application',
    'notify:refurbish',
  ],
  'user:admin': ['user:read'],
  'registry:admin': ['registry:read'],
  'connect:admin': ['connect:read'],
};

export const SCOPES: ReadonlySet<string> = new Set([...Object.keys(CHILDREN), ...Object.values(CHILDREN).flat()]);

/** Everything the given scopes allow, themselves included, in lower case. Unknown ones allow only themselves. */
export function allowedScopes(held: readonly string[]): ReadonlySet<string> {
  const allowed = new Set<string>();
  const open = held.map((scope) => scope.toLowerCase());
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (allowed.has(scope)) continue;
    allowed.add(scope);
    open.push(...(CHILDREN[scope] ?? []));
  }
  return allowed;
}
