import type { Authority } from '../domain/authority.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Store } from '../store/open-store.ts';

/**
 * What an act asks of whoever does it. `operator`: that they operate the gateway; `team`: that they manage the team in
 * question; `audit`: that they read its record; `usage`: that they see its usage; `anyone`: that they are known, and it shows only what they may see.
 */
export type Need = 'operator' | 'team' | 'audit' | 'usage' | 'anyone';

/**
 * The part of the store that an act may touch for whoever does it. Look-ups go through it (`look-up.ts`): a team outside is not
 * there, with exactly the words for one that is not.
 */
export interface Reach {
  readonly store: Store;
  /** Whether the things of the team of this id are there. */
  includes(teamId: string): boolean;
}

const NEEDED: Readonly<Record<Need, string>> = {
  operator: 'an operator',
  team: 'the lead of a team, a token with gateway:admin, or an operator',
  audit: 'an auditor or lead of a team, a token with gateway:audit, or an operator',
  usage: 'an auditor or lead of a team, a token with gateway:usage, or an operator',
  anyone: 'somebody known',
};

/** @throws GatewayError `forbidden` when nothing at all is within reach: it names what is needed and what is held */
export function reachOf(store: Store, act: string, need: Need, authority: Authority): Reach {
  const includes = includedBy(need, authority);
  if (includes !== undefined) return { store, includes };
  throw new GatewayError('forbidden', `${act} needs ${NEEDED[need]}; held: ${held(authority)}`);
}

function includedBy(need: Need, { operates, manages, audits, usage }: Authority): Reach['includes'] | undefined {
  if (operates) return () => true;
  const isAudited = (teamId: string): boolean => audits === 'all' || audits.has(teamId);
  switch (need) {
    case 'operator':
      return undefined;
    case 'team':
      return manages.size === 0 ? undefined : (teamId) => manages.has(teamId);
    case 'audit':
      return audits !== 'all' && audits.size === 0 ? undefined : isAudited;
    case 'usage':
      if (audits !== 'all' && audits.size === 0 && (usage?.size ?? 0) === 0) return undefined;
      return (teamId) => usage?.has(teamId) === true || isAudited(teamId);
    case 'anyone':
      return (teamId) => manages.has(teamId) || isAudited(teamId);
  }
}

function held({ manages, audits, usage }: Authority): string {
  const parts: string[] = [];
  if (manages.size > 0) parts.push(`the management of ${teams(manages.size)}`);
  if (audits === 'all') parts.push('the record of all teams');
  else if (audits.size > 0) parts.push(`the record of ${teams(audits.size)}`);
  else if (usage !== undefined) parts.push(`the usage of ${teams(usage.size)}`);
  return parts.join(' and ') || 'nothing to manage';
}

function teams(count: number): string {
  return count === 1 ? '1 team' : `${count} teams`;
}
