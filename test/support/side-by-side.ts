/**
 * Begins many cases side by side, so that their waits cost the time of one; each test then awaits its own case.
 *
 * @param widthMax how many at once
 */
export function sideBySide<Case, Outcome>(
  cases: readonly Case[],
  act: (one: Case) => Promise<Outcome>,
  widthMax = 16,
): { of(one: Case): Promise<Outcome> } {
  const waiting: (() => void)[] = [];
  let free = widthMax;
  const run = async (one: Case): Promise<Outcome> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await act(one);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
  const outcomes = new Map(cases.map((one) => [one, run(one)]));
  // A failure is its own test's to tell.
  for (const outcome of outcomes.values()) outcome.catch(() => undefined);
  return { of: async (one) => await (outcomes.get(one) as Promise<Outcome>) };
}
