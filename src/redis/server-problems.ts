const MAJOR_MIN = 7;

/** What of a server's `INFO` an operator must change, a sentence each. */
export function serverProblems(info: string): string[] {
  const fields = new Map(
    info.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
  const problems: string[] = [];
  const version = fields.get('redis_version');
  if (version !== undefined && Number.parseInt(version, 10) < MAJOR_MIN) {
    problems.push(`Redis is too old: expected ${MAJOR_MIN}.0 or newer, got ${version}`);
  }
  const policy = fields.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push(
      `Redis may throw away sessions and rate budgets when its memory is full: expected maxmemory-policy noeviction, got ${policy}`,
    );
  }
  return problems;
}
