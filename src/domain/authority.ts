import type { Actor } from './event.ts';
import { callingRights, type Person } from './person.ts';
import type { Rights } from './rights.ts';

/** What somebody may manage. What is not named does not exist for them: another team's things are "not found". */
export interface Authority {
  /** Teams, people, sessions, limits, and everything of every team. */
  readonly operates: boolean;
  /** Ids of teams whose apps, tokens and keys they manage, with the most that the tokens they make may hold. */
  readonly manages: ReadonlyMap<string, Rights>;
  /** Ids of teams whose record they read. */
  readonly audits: ReadonlySet<string> | 'all';
  /** Ids of teams whose usage they see, beside those whose record they read. */
  readonly usage?: ReadonlySet<string>;
}

/** Who does an administrative act, and what they may manage. */
export interface Administrator {
  readonly actor: Actor;
  readonly authority: Authority;
}

/** Who reaches the Unix socket or the data directory, an operator, and the gateway itself. */
export const OPERATES: Authority = { operates: true, manages: new Map(), audits: 'all' };

/** What a person may manage, by their roles. */
export function authorityOf({ grants }: Person): Authority {
  if (grants.some(({ role }) => role === 'operator')) return OPERATES;
  const manages = new Map<string, Rights>();
  const audits = new Set<string>();
  let auditsAll = false;
  for (const { role, teamId } of grants) {
    if (role === 'auditor' && teamId === undefined) auditsAll = true;
    if (teamId === undefined || (role !== 'auditor' && role !== 'lead')) continue;
    audits.add(teamId);
    const rights = role === 'lead' ? callingRights(grants, teamId) : undefined;
    if (rights !== undefined) manages.set(teamId, rights);
  }
  return { operates: false, manages, audits: auditsAll ? 'all' : audits };
}
