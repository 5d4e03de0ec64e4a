import { requestFor } from '../../src/admin/routes.ts';
import type { ActName } from '../../src/manage/acts.ts';
import type { Answer, Caller, PublicDoor } from './public-door.ts';

export interface DoneAct {
  readonly act: ActName;
  readonly input: Readonly<Record<string, unknown>>;
  readonly answer: Answer;
}

/** What later steps know of earlier ones: the last answer to each act. */
type Known = ReadonlyMap<string, Answer>;

type Step = readonly [act: ActName, input: (known: Known) => Readonly<Record<string, unknown>>];

const spare = { team: 'acme', name: 'spare' };
const mine = { team: 'acme', name: 'mine' };

/** A life with every act in it, each with as many of its fields as it can have, in an order in which each can be done. */
export const STEPS: readonly Step[] = [
  ['team.add', () => ({ slug: 'gamma', name: 'Third' })],
  ['team.set', () => ({ team: 'gamma', name: 'The third' })],
  ['team.list', () => ({})],
  [
    'key.add',
    () => ({ ...spare, key: 'spare-key-0123456789', scopes: ['fleet:read'], limit: '10/1s', burst: 5, spreadMs: 20 }),
  ],
  ['key.list', () => ({ team: 'acme' })],
  ['key.set', () => ({ ...spare, scopes: ['fleet:read', 'connect:read'], limit: '20/1s', spreadMs: 0 })],
  ['key.test', () => spare],
  ['key.rotate', () => ({ ...spare, key: 'newer-key-0123456789' })],
  ['key.forget', () => spare],
  ['budget.list', () => ({})],
  ['budget.set', () => ({ name: 'acme-spare', limit: '30/1s', burst: 3, spreadMs: 40 })],
  ['limit.show', () => ({ budget: 'acme-spare' })],
  ['limit.forget', () => ({ budget: 'acme-spare' })],
  ['key.remove', () => spare],
  ['app.add', () => ({ ...mine, weight: 2 })],
  ['app.list', () => ({ team: 'acme' })],
  ['app.set', () => ({ ...mine, weight: 3 })],
  [
    'token.create',
    () => ({
      team: 'acme',
      app: 'mine',
      scopes: ['fleet:read', 'gateway:usage'],
      expires: '30d',
      effects: 'read',
      from: ['10.0.0.0/8'],
      urgency: 2,
    }),
  ],
  ['token.list', () => ({ team: 'acme', app: 'mine' })],
  ['token.rotate', (known) => ({ id: known.get('token.create')?.body.id, grace: '1h', expires: '60d' })],
  ['token.revoke_leaked', (known) => ({ tokens: ['nonsense', known.get('token.create')?.body.token] })],
  ['token.revoke', (known) => ({ id: known.get('token.create')?.body.id })],
  ['app.remove', () => mine],
  ['person.list', () => ({ team: 'beta' })],
  ['session.list', (known) => ({ person: known.get('person.list')?.body.data[0].id })],
  ['session.end', (known) => ({ id: known.get('session.list')?.body.data[0].id })],
  [
    'person.set',
    (known) => ({ id: known.get('person.list')?.body.data[0].id, grants: [{ role: 'lead', team: 'gamma' }] }),
  ],
  ['person.disable', (known) => ({ id: known.get('person.list')?.body.data[0].id })],
  ['person.enable', (known) => ({ id: known.get('person.list')?.body.data[0].id })],
  ['person.remove', (known) => ({ id: known.get('person.list')?.body.data[0].id })],
  ['person.erase', (known) => ({ id: known.get('person.remove')?.body.removed })],
  ['link.create', () => ({ name: 'Ada', grants: [{ role: 'member', team: 'gamma', scopes: ['fleet:read'] }] })],
  [
    'apply',
    () => ({
      teams: {
        gamma: {
          name: 'Third',
          apps: { web: { weight: 2 } },
          keys: { main: { key: 'gamma-key-0123456789', scopes: ['fleet:read'], limit: '10/1s' } },
        },
      },
    }),
  ],
  ['stream.list', () => ({ team: 'acme' })],
  ['stream.end', (known) => ({ id: known.get('stream.list')?.body.data[0].id })],
  ['audit.export', () => ({ team: 'acme', format: 'ndjson' })],
  ['audit.sinks', () => ({})],
  ['audit.keys', () => ({})],
  ['audit.key.rotate', () => ({})],
  ['audit.prune.preview', () => ({})],
  ['audit.prune', () => ({})],
  ['audit.query', () => ({ limit: 5, team: 'acme' })],
  ['audit.show', (known) => ({ requestId: known.get('app.add')?.headers.get('request-id') })],
  ['usage.query', () => ({ team: 'acme', by: 'team,app,operation,outcome,time' })],
  ['team.remove', () => ({ team: 'gamma', force: true })],
];

/** An X-Ray session of the team `acme`, so that there is one to see and to end. */
export async function openStream(door: PublicDoor): Promise<void> {
  const { streams, store } = door.management;
  const acme = await store.teams.findBySlug('acme');
  streams.open.push({
    id: '01a2098b-fb9f-7d64-bda9-c1d239e99111',
    team: { id: acme?.id ?? '', slug: 'acme' },
    operation: 'xray.adb',
    device: 'd-1',
    holder: 'robot',
    holderId: 'app_1',
    address: '127.0.0.1',
    openedAt: 1_790_000_000_000,
    bytesIn: 1,
    bytesOut: 2,
  });
}

/** Does every act of {@link STEPS} through the public door, one after the other. */
export async function* everyAct(door: PublicDoor, who: Caller): AsyncGenerator<DoneAct> {
  // Somebody to act on.
  await door.page(['viewer', 'beta']);
  await openStream(door);
  const known = new Map<string, Answer>();
  for (const [act, inputOf] of STEPS) {
    const input = inputOf(known);
    const { method, target, body } = requestFor(act, input);
    const answer = await door.ask(who, method, target, body);
    known.set(act, answer);
    yield { act, input, answer };
  }
}
