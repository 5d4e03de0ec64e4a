import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Administrator, OPERATES } from '../../src/domain/authority.ts';
import type { ActName } from '../../src/manage/acts.ts';
import type { Need } from '../../src/manage/reach.ts';
import { type Management, OPERATOR, openManagement } from './management.ts';
import { leadOf, signedIn, somebody, teamId } from './people-of-teams.ts';

let m: Management;
let ids: { alpha: string; beta: string; person: string; session: string; alphaToken: string; betaToken: string };

beforeAll(async () => {
  m = await openManagement();
  const tokens: string[] = [];
  for (const team of ['alpha', 'beta']) {
    await m.acts['team.add'](OPERATOR, { slug: team });
    await m.acts['app.add'](OPERATOR, { team, name: 'app' });
    await m.acts['key.add'](OPERATOR, { team, name: 'main', key: `key-of-${team}`, scopes: ['fleet:read'] });
    await m.acts['key.rotate'](OPERATOR, { team, name: 'main', key: `second-key-of-${team}` });
    tokens.push((await m.acts['token.create'](OPERATOR, { team, app: 'app', scopes: ['fleet:read'] })).id);
  }
  const [alphaToken = '', betaToken = ''] = tokens;
  for (const team of ['alpha', 'beta'] as const) {
    m.streams.open.push({
      id: streamOf(team),
      team: { id: await teamId(m, team), slug: team },
      operation: 'xray.adb',
      device: `device-of-${team}`,
      holder: 'app',
      holderId: 'app_1',
      address: '10.0.0.1',
      openedAt: 0,
      bytesIn: 1,
      bytesOut: 2,
    });
  }
  const { id, sessionIds } = await signedIn(m, []);
  const [session = ''] = sessionIds;
  ids = {
    alpha: await teamId(m, 'alpha'),
    beta: await teamId(m, 'beta'),
    person: id,
    session,
    alphaToken,
    betaToken,
  };
  // From here on nothing can be put on record: what changes something is planned, allowed, and then not done.
  m.record.broken = true;
});

afterAll(async () => {
  await m.close();
});

/** Each act, what it asks of whoever does it, and an input about a team. TypeScript refuses this table when an act is missing. */
const ACTS: Readonly<Record<ActName, readonly [need: Need, input: (team: 'alpha' | 'beta') => object]>> = {
  'team.add': ['operator', () => ({ slug: 'gamma' })],
  'team.list': ['anyone', () => ({})],
  'team.set': ['operator', (team) => ({ team, name: 'Other' })],
  'team.remove': ['operator', (team) => ({ team, force: true })],
  'key.add': ['team', (team) => ({ team, name: 'new', key: 'another-key', scopes: ['fleet:read'] })],
  'key.list': ['team', (team) => ({ team })],
  'key.set': ['team', (team) => ({ team, name: 'main', limit: '5/1s' })],
  'key.test': ['team', (team) => ({ team, name: 'main' })],
  'key.rotate': ['team', (team) => ({ team, name: 'main', key: 'another-key' })],
  'key.forget': ['team', (team) => ({ team, name: 'main' })],
  'key.remove': ['team', (team) => ({ team, name: 'main' })],
  'budget.list': ['team', () => ({})],
  'budget.set': ['team', (team) => ({ name: `${team}-main`, limit: '5/1s' })],
  'limit.show': ['team', (team) => ({ budget: `${team}-main` })],
  'limit.forget': ['team', (team) => ({ budget: `${team}-main` })],
  'app.add': ['team', (team) => ({ team, name: 'new' })],
  'app.list': ['team', (team) => ({ team })],
  'app.set': ['team', (team) => ({ team, name: 'app', weight: 2 })],
  'app.remove': ['team', (team) => ({ team, name: 'app' })],
  'token.create': ['team', (team) => ({ team, app: 'app', scopes: ['fleet:read'], effects: 'read' })],
  'token.list': ['team', (team) => ({ team })],
  'token.rotate': ['team', (team) => ({ id: tokenOf(team) })],
  'token.revoke': ['team', (team) => ({ id: tokenOf(team) })],
  'token.revoke_leaked': ['team', () => ({ tokens: ['mgw_nothing'] })],
  'person.list': ['operator', () => ({})],
  'person.set': ['operator', (team) => ({ id: ids.person, grants: [{ role: 'lead', team }] })],
  'person.disable': ['operator', () => ({ id: ids.person })],
  'person.enable': ['operator', () => ({ id: ids.person })],
  'person.remove': ['operator', () => ({ id: ids.person })],
  'person.erase': ['operator', () => ({ id: ids.person })],
  'session.list': ['operator', () => ({})],
  'session.end': ['operator', () => ({ id: ids.session })],
  'stream.list': ['team', (team) => ({ team })],
  'stream.end': ['team', (team) => ({ id: streamOf(team) })],
  'link.create': ['operator', (team) => ({ grants: [{ role: 'lead', team }] })],
  'audit.query': ['audit', (team) => ({ team })],
  'audit.prune.preview': ['operator', () => ({})],
  'audit.prune': ['operator', () => ({})],
  'audit.export': ['audit', (team) => ({ team })],
  'audit.sinks': ['operator', () => ({})],
  'audit.keys': ['audit', () => ({})],
  'audit.key.rotate': ['operator', () => ({})],
  'audit.show': ['audit', () => ({ requestId: 'nothing' })],
  'usage.query': ['usage', () => ({})],
  apply: ['operator', (team) => ({ teams: { [team]: { apps: { app: { weight: 3 } } } } })],
};

/** A session that is open, of one team or the other. */
function streamOf(team: 'alpha' | 'beta'): string {
  return `0199d1a4-3c1e-7000-8000-00000000000${team === 'alpha' ? 'a' : 'b'}`;
}

function tokenOf(team: 'alpha' | 'beta'): string {
  return team === 'alpha' ? ids.alphaToken : ids.betaToken;
}

const WHO: Readonly<Record<string, () => Administrator>> = {
  operator: () => somebody(OPERATES),
  'lead of alpha': () => leadOf(ids.alpha),
  'token-admin of alpha': () => ({
    actor: { kind: 'app', app: 'ci', tokenId: ids.alphaToken },
    authority: {
      operates: false,
      manages: new Map([[ids.alpha, { scopes: ['fleet:read'], effectCeiling: 'change' }]]),
      audits: new Set([ids.alpha]),
    },
  }),
  'auditor of beta': () => somebody({ audits: new Set([ids.beta]) }),
  'auditor of all': () => somebody({ audits: 'all' }),
  'token of beta that sees usage': () => somebody({ usage: new Set([ids.beta]) }),
  nobody: () => somebody({}),
};

/** In the order of {@link WHO}. */
const MAY: Readonly<Record<Need, readonly ('may' | 'forbidden')[]>> = {
  operator: ['may', 'forbidden', 'forbidden', 'forbidden', 'forbidden', 'forbidden', 'forbidden'],
  team: ['may', 'may', 'may', 'forbidden', 'forbidden', 'forbidden', 'forbidden'],
  audit: ['may', 'may', 'may', 'may', 'may', 'forbidden', 'forbidden'],
  usage: ['may', 'may', 'may', 'may', 'may', 'may', 'forbidden'],
  anyone: ['may', 'may', 'may', 'may', 'may', 'may', 'may'],
};

async function outcome(act: ActName, by: Administrator, input: object): Promise<string> {
  try {
    await m.acts[act](by, input);
    return 'may';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    // Nothing of that request id is on record here, for anybody.
    if (code === 'record_unavailable' || act === 'audit.show') return code === 'forbidden' ? code : 'may';
    return code === 'forbidden' ? code : `${code}: ${message}`;
  }
}

describe.each(Object.keys(ACTS) as ActName[])('%s', (act) => {
  const [need, input] = ACTS[act];

  test(`says itself that it needs ${need}, and nobody with less may do it`, async () => {
    expect(m.acts[act].need).toBe(need);
    const revision = await m.store.revision();
    const seen: string[] = [];
    for (const who of Object.values(WHO)) seen.push(await outcome(act, who(), input('alpha')));
    expect(seen).toEqual(MAY[need]);
    expect(await m.store.revision()).toBe(revision);
  });

  test('a refusal names what is needed and what is held', async () => {
    if (need === 'anyone') return;
    await expect(m.acts[act](somebody({}), input('alpha'))).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(new RegExp(`^${act} needs .*operator; held: nothing to manage$`)),
    });
  });
});

const OF_A_TEAM = (Object.keys(ACTS) as ActName[]).filter(
  (act) => ACTS[act][0] === 'team' && act !== 'budget.list' && act !== 'token.revoke_leaked',
);

test.each(OF_A_TEAM)('%s: another team’s things fail exactly as things that are not there', async (act) => {
  const [, input] = ACTS[act];
  const messageOf = async (by: Administrator, given: object): Promise<unknown> =>
    m.acts[act](by, given).then(
      () => 'done',
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
  const about = JSON.stringify(input('beta'));
  const moved = (text: string): string =>
    text
      .replaceAll('beta', 'nowhere')
      .replaceAll(ids.betaToken, 'tok_nowhere')
      .replaceAll(streamOf('beta'), '0199d1a4-3c1e-7000-8000-00000000000c');
  const told = await messageOf(leadOf(ids.alpha), JSON.parse(about));
  const toldOfNothing = await messageOf(OPERATOR, JSON.parse(moved(about)));
  expect(told).toMatch(/^not_found: there is no /);
  expect(moved(String(told))).toBe(toldOfNothing);
});

describe('lists', () => {
  test('show what is within reach, and nothing of the rest', async () => {
    for (const act of ['team.list', 'key.list', 'app.list', 'token.list', 'budget.list', 'stream.list'] as const) {
      const all = await m.acts[act](OPERATOR);
      const own = await m.acts[act](leadOf(ids.alpha));
      expect([all.data.length, own.data.length]).toEqual([2, 1]);
      expect(JSON.stringify(own)).not.toContain('beta');
      expect(JSON.stringify(own)).toContain('alpha');
    }
  });

  test('auditors see the names of the teams whose record they read, and no more', async () => {
    const auditor = somebody({ audits: new Set([ids.beta]) });
    expect((await m.acts['team.list'](auditor)).data.map(({ slug }) => slug)).toEqual(['beta']);
    expect((await m.acts['team.list'](somebody({ audits: 'all' }))).data).toHaveLength(2);
    expect((await m.acts['team.list'](somebody({}))).data).toEqual([]);
  });
});
