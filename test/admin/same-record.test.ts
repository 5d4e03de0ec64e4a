import { expect, test } from '@jest/globals';
import request from 'supertest';
import { requestFor } from '../../src/admin/routes.ts';
import type { AdminEvent } from '../../src/domain/event.ts';
import type { ActName } from '../../src/manage/acts.ts';
import { openStream, STEPS } from './every-act.ts';
import { type Answer, openPublicDoor, type PublicDoor } from './public-door.ts';

/** One request, however it is sent. */
type Ask = (
  method: string,
  target: string,
  body: string | undefined,
) => Promise<Pick<Answer, 'status' | 'body' | 'headers'>>;

interface Life {
  readonly statuses: readonly number[];
  readonly record: readonly unknown[];
  /** Who it stands on record as. */
  readonly actors: readonly AdminEvent['actor'][];
}

/** Every act that somebody with one team may do, and some that fail. */
async function live(askAt: (door: PublicDoor) => Promise<Ask>): Promise<Life> {
  await using door = await openPublicDoor();
  await openStream(door);
  const ask = await askAt(door);
  const { acts, record } = door.management;
  record.events.length = 0;
  const known = new Map<string, Answer>();
  const statuses: number[] = [];
  const perform = async (act: ActName, input: Readonly<Record<string, unknown>>): Promise<void> => {
    const { method, target, body } = requestFor(act, input);
    const answer = await ask(method, target, body);
    known.set(act, answer);
    statuses.push(answer.status);
  };
  for (const [act, inputOf] of STEPS) if (acts[act].need !== 'operator') await perform(act, inputOf(known));
  await perform('app.add', { team: 'acme', name: 'Not A Name' });
  await perform('app.add', { team: 'acme', name: 'robot' });
  await perform('app.set', { team: 'acme', name: 'nobody', weight: 1 });
  await perform('token.rotate', { id: 'tok_nothing' });
  const { events } = record;
  return { statuses, record: events.map(comparable), actors: events.map(({ actor }) => actor) };
}

/** Ids and fingerprints are drawn anew each time; how much of the record somebody may see differs, and is meant to. */
const DRAWN = /^(?:id|keyId|tokenId|tokenIds|requestId|fingerprint|fingerprintBefore|forgotten|events)$/;

function comparable({ act, result, errorCode, team, details }: AdminEvent): unknown {
  const steady = Object.entries(details).map(([name, value]) => [name, DRAWN.test(name) ? 'drawn' : value]);
  return { act, result, errorCode, team, details: Object.fromEntries(steady) };
}

const onSocket = async ({ socketApi }: PublicDoor): Promise<Ask> => {
  return async (method, target, body) => {
    const asked = request(socketApi)[method.toLowerCase() as 'get'](target).set('Gateway-Account', 'ada');
    const answer = await (body === undefined ? asked : asked.type('json').send(body));
    return { status: answer.status, body: answer.body, headers: new Headers(answer.headers as Record<string, string>) };
  };
};

const atPage = async (door: PublicDoor): Promise<Ask> => {
  const lead = await door.page(['lead', 'acme']);
  return (method, target, body) => door.ask(lead, method, target, body);
};

const byToken = async (door: PublicDoor): Promise<Ask> => {
  const token = await door.token('acme', ['gateway:admin', 'account:owner'], { effects: 'destructive' });
  return (method, target, body) => door.ask(token, method, target, body);
};

test('the command line’s socket, a lead’s page and a token with gateway:admin do the same, with the same record', async () => {
  const [operator, lead, robot] = [await live(onSocket), await live(atPage), await live(byToken)];
  expect(operator.record.length).toBeGreaterThan(30);
  expect(lead.record).toEqual(operator.record);
  expect(robot.record).toEqual(operator.record);
  expect(lead.statuses).toEqual(operator.statuses);
  expect(robot.statuses).toEqual(operator.statuses);
  expect(operator.statuses.slice(-4)).toEqual([400, 409, 404, 404]);
  const kinds = [operator, lead, robot].map(({ actors }) => [...new Set(actors.map(({ kind }) => kind))]);
  expect(kinds).toEqual([['operator'], ['person'], ['app']]);
});
