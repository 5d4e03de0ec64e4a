import type { KeptEvent } from '../../domain/archive.ts';
import type { RecordFilter } from '../../domain/record.ts';

/** Whether an event is one of those that a filter asks for: the same ones that a query finds. */
export function eventFilter(filter: RecordFilter): (event: Pick<KeptEvent, 'columns' | 'targets'>) => boolean {
  const { since = 0, until = Number.POSITIVE_INFINITY, team, app, device, group } = filter;
  const teams = filter.teams && new Set(filter.teams);
  const exact = EXACT.filter(([asked]) => filter[asked] !== undefined);
  return ({ columns, targets }) =>
    columns.at >= since &&
    columns.at < until &&
    (team === undefined || columns.teamId === team || columns.team === team) &&
    (teams === undefined || (columns.teamId !== undefined && teams.has(columns.teamId))) &&
    (app === undefined || columns.appId === app || columns.app === app) &&
    exact.every(([asked, column]) => columns[column] === filter[asked]) &&
    (device === undefined || targets.some((name, place) => place % 2 === 1 && name === device)) &&
    (group === undefined ||
      targets.some((name, place) => place % 2 === 1 && name === group && isGroup(targets, place)));
}

/** Fields of a filter with the column that must be the same. */
const EXACT = [
  ['kind', 'kind'],
  ['tokenId', 'tokenId'],
  ['person', 'personId'],
  ['operation', 'operation'],
  ['effect', 'effect'],
  ['status', 'status'],
  ['errorSource', 'errorSource'],
  ['keyFingerprint', 'keyFingerprint'],
  ['requestId', 'requestId'],
] as const;

function isGroup(targets: readonly string[], place: number): boolean {
  return targets[place - 1] === 'group';
}
