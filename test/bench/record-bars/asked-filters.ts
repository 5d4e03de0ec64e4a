import type { RecordFilter } from '../../../src/domain/record.ts';
import { RARE } from './written-events.ts';

const DAY_MS = 86_400_000;

/** What many events have. */
const COMMON: RecordFilter = {
  team: 'team_1',
  app: 'app_1',
  tokenId: 'tok_1',
  person: 'per_5',
  operation: 'device.list1',
  effect: 'read',
  device: 'SERIAL-4',
  group: 'SERIAL-8',
  status: 200,
  errorSource: 'mason',
  keyFingerprint: 'c0ffee00c0ffee00',
  kind: 'outcome',
};

/** What no event has. */
const ABSENT: RecordFilter = {
  team: 'absent',
  app: 'absent',
  tokenId: 'absent',
  person: 'absent',
  operation: 'absent',
  effect: 'absent',
  device: 'absent',
  group: 'absent',
  status: 599,
  errorSource: 'absent',
  keyFingerprint: 'absent',
  requestId: '0199d1a4-3c1e-7000-8000-ffffffffffff',
  kind: 'absent',
};

/** Every filter alone, with a common value, a rare one and one that is nowhere; and none. */
export function askedFilters(now: number): readonly (readonly [what: string, filter: RecordFilter])[] {
  const single = (how: string, filter: RecordFilter) =>
    Object.entries(filter).map(([field, value]) => [`${how} ${field}`, { [field]: value }] as const);
  return [
    ['the newest', {}],
    ...single('common', COMMON),
    ...single('rare', RARE),
    ...single('absent', ABSENT),
    ['since an hour', { since: now - DAY_MS / 24 }],
    ['until 15 days ago', { until: now - 15 * DAY_MS }],
    ['until before all', { until: now - 40 * DAY_MS }],
    ['no team', { teams: [] }],
    ['two teams', { teams: ['team_2', 'team_3'] }],
  ];
}
