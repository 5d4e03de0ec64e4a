/**
 * Names of everything that is kept in Redis; spelled nowhere else. What one script touches shares a hash tag `{…}`, so that
 * Redis Cluster keeps it on one node. Names hold public ids and digests, never a secret. They are part of the format that
 * gateways of two releases share: a name stays, or two budgets exist while one release follows the other.
 */
export interface RedisKeys {
  /** Holds nothing: written to learn whether Redis takes writes. */
  readonly beat: string;
  /** The shared pace of a budget, engine `fair`. */
  budgetSlots(budgetId: string): string;
  /** What was learnt of its limit. */
  budgetLearnt(budgetId: string): string;
  /** Channel on which gateways hear at once of a budget's pause or new limit, engine `fair`. */
  readonly budgetNews: string;
  /**
   * Id of the limiter of a budget, engine `bottleneck`. The library spells keys and channels with it (`b_<id>_settings`);
   * its connection puts {@link RedisKeys.prefix} before keys, and channels have no other prefix than the one in here.
   */
  budgetLimiter(budgetId: string): string;
  /** Begins every key of sessions and tickets; all of them have one hash tag. */
  readonly sessions: string;
  readonly prefix: string;
}

/** @param prefix without braces */
export function redisKeys(prefix: string): RedisKeys {
  return {
    beat: `${prefix}beat`,
    budgetSlots: (budgetId) => `${prefix}{budget:${budgetId}}:slots`,
    budgetLearnt: (budgetId) => `${prefix}{budget:${budgetId}}:learnt`,
    budgetNews: `${prefix}budget-news`,
    budgetLimiter: (budgetId) => `${prefix}{budget:${budgetId}}:limiter`,
    sessions: `${prefix}{sessions}:`,
    prefix,
  };
}
