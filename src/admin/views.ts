import { z } from 'zod';
import { EFFECTS } from '../domain/effect.ts';
import { ROLES } from '../domain/role.ts';

/*
 * What acts answer, as it is described to callers. The types of the acts hold it at one end (`answers.ts`), the answers of a live
 * gateway at the other; strict, so that nothing is told that nobody described.
 */

/** Schemas that the description names, and the rest refers to. */
export const VIEWS = z.registry<{ id: string }>();

const id = z.string();
const slug = z.string();
const time = z.iso.datetime();
const count = z.int().min(0);
const scopes = z.array(z.string());
/** `100/1s`; null: nobody gave one. */
const limit = z.string().nullable();
const burst = z.int().min(1).nullable();
const spreadMs = z.int().min(0).nullable().describe('Of the way to Mason, as it was given; null: it is measured.');
const notes = z.array(z.string());

export const teamView = z
  .strictObject({ id, slug, name: z.string(), createdAt: time, apps: count, keys: count, tokens: count })
  .register(VIEWS, { id: 'Team' });

export const appView = z
  .strictObject({ id, team: slug, name: slug, weight: z.int().min(1).max(100), createdAt: time })
  .register(VIEWS, { id: 'App' });

export const keyView = z
  .strictObject({
    id,
    team: slug,
    name: slug,
    origin: z.string(),
    scopes,
    budget: slug,
    limit,
    burst,
    spreadMs,
    fingerprint: z.string(),
    last4: z.string().max(4),
    previous: z.strictObject({ last4: z.string().max(4), fingerprint: z.string(), replacedAt: time }).nullable(),
    createdAt: time,
    lastUsedAt: time.nullable(),
  })
  .register(VIEWS, { id: 'Key' });

export const notedKey = keyView.extend({ notes }).register(VIEWS, { id: 'NotedKey' });

export const probeResult = z
  .strictObject({
    verdict: z.enum(['alive', 'dead', 'unclear']),
    status: z.int().exactOptional(),
    message: z.string(),
  })
  .register(VIEWS, { id: 'ProbeResult' });

export const budgetView = z
  .strictObject({
    id,
    name: slug,
    limit,
    burst,
    spreadMs,
    keys: z.array(z.string()),
    otherKeys: count,
    createdAt: time,
  })
  .register(VIEWS, { id: 'Budget' });

export const tokenView = z
  .strictObject({
    id,
    team: slug,
    app: slug,
    scopes,
    effects: z.enum(EFFECTS),
    from: z.array(z.string()),
    urgency: z.int().min(0).max(7),
    state: z.enum(['active', 'expired', 'revoked']),
    notices: z.array(z.enum(['expiring', 'unused'])),
    createdAt: time,
    expiresAt: time,
    revokedAt: time.nullable(),
    lastUsedAt: time.nullable(),
    graceUntil: time.nullable(),
  })
  .register(VIEWS, { id: 'Token' });

/** With the token itself, at the only moment when it is shown. */
export const shownToken = tokenView.extend({ token: z.string(), notes }).register(VIEWS, { id: 'ShownToken' });

export const leakedToken = z
  .strictObject({
    result: z.enum(['revoked', 'already_dead', 'unknown', 'malformed']),
    id: id.exactOptional(),
    team: slug.exactOptional(),
    app: slug.exactOptional(),
  })
  .register(VIEWS, { id: 'LeakedToken' });

const grants = z.array(
  z
    .strictObject({ role: z.enum(ROLES), team: slug.nullable().describe('Null: for all teams.'), scopes })
    .register(VIEWS, { id: 'RoleGrant' }),
);

export const personView = z
  .strictObject({
    id,
    name: z.string(),
    issuer: z.string(),
    subject: z.string(),
    grants,
    pinned: z.boolean(),
    disabledAt: time.nullable(),
    createdAt: time,
    lastSignInAt: time.nullable(),
  })
  .register(VIEWS, { id: 'Person' });

export const endedPerson = personView.extend({ sessionsEnded: count }).register(VIEWS, { id: 'EndedPerson' });

export const removedPerson = z
  .strictObject({ removed: z.string(), sessionsEnded: count })
  .register(VIEWS, { id: 'RemovedPerson' });

export const erasedPerson = z
  .strictObject({ erased: z.string(), sessionsEnded: count })
  .register(VIEWS, { id: 'ErasedPerson' });

export const sessionView = z
  .strictObject({ id, personId: id, person: z.string(), lastSeenAt: time, endsAt: time })
  .register(VIEWS, { id: 'Session' });

export const endedSession = z.strictObject({ ended: id }).register(VIEWS, { id: 'EndedSession' });

/** With the secret itself, at the only moment when it is shown. */
export const shownLink = z
  .strictObject({
    id,
    secret: z.string(),
    path: z.string(),
    url: z.string().nullable(),
    name: z.string(),
    grants,
    endsAt: time,
  })
  .register(VIEWS, { id: 'ShownLink' });

const STEP_ACTS = [
  'team.add',
  'team.set',
  'team.remove',
  'app.add',
  'app.set',
  'app.remove',
  'key.add',
  'key.set',
  'key.rotate',
  'key.remove',
  'budget.set',
] as const;

export const applied = z
  .strictObject({
    steps: z.array(
      z.strictObject({ act: z.enum(STEP_ACTS), on: z.string(), says: z.string() }).register(VIEWS, { id: 'Step' }),
    ),
    applied: z.boolean().describe('False for a dry run.'),
    notes,
  })
  .register(VIEWS, { id: 'Applied' });

export const storedEvent = z
  .strictObject({
    chain: z.string(),
    seq: z.int().min(1),
    digest: z.string(),
    event: z.record(z.string(), z.unknown()),
  })
  .register(VIEWS, { id: 'StoredEvent' });

export const eventPage = z
  .strictObject({
    data: z.array(storedEvent),
    nextPage: z.string().exactOptional(),
    prevPage: z.string().exactOptional(),
  })
  .register(VIEWS, { id: 'EventPage' });

export const signingKeyView = z
  .strictObject({
    id: z.string(),
    createdAt: time,
    signedBy: z.string().nullable(),
    current: z.boolean(),
    pem: z.string(),
  })
  .register(VIEWS, { id: 'SigningKey' });

export const exportText = z
  .string()
  .describe(
    'Events, in the format that was asked for, of any size. In `ndjson`, what ends without a manifest was cut short.',
  )
  .register(VIEWS, { id: 'RecordExport' });

export const removed = z.strictObject({ removed: z.string() }).register(VIEWS, { id: 'Removed' });

export const removedApp = removed.extend({ tokens: count }).register(VIEWS, { id: 'RemovedApp' });

export const teamList = list('TeamList', teamView);
export const appList = list('AppList', appView);
export const keyList = list('KeyList', keyView);
export const budgetList = list('BudgetList', budgetView);
export const tokenList = list('TokenList', tokenView);
export const leakedTokenList = list('LeakedTokenList', leakedToken);
export const personList = list('PersonList', personView);
export const sessionList = list('SessionList', sessionView);
export const eventList = list('EventList', storedEvent);
export const signingKeyList = list('SigningKeyList', signingKeyView);

function list<T extends z.ZodType>(name: string, of: T) {
  return z.strictObject({ data: z.array(of) }).register(VIEWS, { id: name });
}

/** The body of every refusal and failure. */
export const errorView = z
  .strictObject({ type: z.string().describe('What kind, for programs.'), message: z.string().describe('For people.') })
  .register(VIEWS, { id: 'Error' });
