import { sims, subscription, usage, users } from '../fleet/account-records.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import type { Call } from './call.ts';
import { numericKeys, page } from './paging.ts';

const PLACES = numericKeys<readonly [number, object]>(([place]) => place);

export function listUsers(call: Call): Answer {
  return list(call, users(call.account.fleet.seed));
}

export function listSims(call: Call): Answer {
  return list(call, sims(call.account.fleet));
}

export function listUsage(call: Call): Answer {
  return list(call, usage(call.account.fleet.seed));
}

export function getSubscription(call: Call): Answer {
  return jsonAnswer(subscription(call.account.fleet.seed));
}

function list(call: Call, things: readonly object[]): Answer {
  return page([...things.entries()], PLACES, call.query, ([, thing]) => JSON.stringify(thing));
}
