import type { z } from 'zod';
import { EXPORT_FORMATS } from '../audit/export/export-format.ts';
import type { TextAnswer } from '../manage/act.ts';
import type { ActName, Acts } from '../manage/acts.ts';
import { forgottenLimit, limitList } from './limit-views.ts';
import { pruneView } from './prune-view.ts';
import { sinkList } from './sink-views.ts';
import { endedStream, streamList } from './stream-views.ts';
import { usageAnswer } from './usage-views.ts';
import {
  appList,
  applied,
  appView,
  budgetList,
  budgetView,
  endedPerson,
  endedSession,
  erasedPerson,
  eventList,
  eventPage,
  exportText,
  keyList,
  keyView,
  leakedTokenList,
  notedKey,
  personList,
  personView,
  probeResult,
  removed,
  removedApp,
  removedPerson,
  sessionList,
  shownLink,
  shownToken,
  signingKeyList,
  signingKeyView,
  teamList,
  teamView,
  tokenList,
  tokenView,
} from './views.ts';

/** What an operation is to callers of the API, beside its route and its input. */
export interface Answered<Answer> {
  /** Media types of an answer that is not JSON. */
  readonly contentTypes?: readonly string[];
  /** One line. */
  readonly summary: string;
  /** 201 where something new was made (RFC 9110 section 15.3.2). */
  readonly status: 200 | 201;
  readonly answer: z.ZodType<Answer>;
}

const EXPORT_TYPES = [...new Set(Object.values(EXPORT_FORMATS).map(({ contentType }) => contentType))];

/** As it is described: an answer that comes piece by piece is text. */
type Told<Answer> = Answer extends TextAnswer ? string : Answer;

/** What each act answers. An act whose answer changes stops fitting here. */
export const ANSWERS: { readonly [N in ActName]: Answered<Told<Awaited<ReturnType<Acts[N]>>>> } = {
  'team.add': made('Add a team', teamView),
  'team.list': ok('List teams', teamList),
  'team.set': ok('Rename a team; its slug stays', teamView),
  'team.remove': ok('Remove a team; its tokens die at once', removed),
  'key.add': made('Add a Mason key to a team; it is sealed, and never shown again', notedKey),
  'key.list': ok('List keys', keyList),
  'key.set': ok("Change a key's scopes, or its budget", notedKey),
  'key.test': ok('Try a key with one harmless call, in its turn', probeResult),
  'key.rotate': ok(
    "Put another Mason key in a key's place; it is tried first, and the one before stays behind it",
    notedKey,
  ),
  'key.forget': ok('Forget the key before the last rotation', keyView),
  'key.remove': ok('Remove a key', removed),
  'budget.list': ok('List rate budgets', budgetList),
  'budget.set': ok("Change a budget's limit, burst or spread", budgetView),
  'limit.show': ok('Show the limits in force, and what each is known from', limitList),
  'limit.forget': ok('Forget what was learnt of a limit; it is learnt anew', forgottenLimit),
  'app.add': made('Add an app to a team', appView),
  'app.list': ok('List apps', appList),
  'app.set': ok("Change an app's weight in the line", appView),
  'app.remove': ok('Remove an app; its tokens die at once', removedApp),
  'token.create': made('Make a token; this is the only time it is shown', shownToken),
  'token.list': ok('List tokens', tokenList),
  'token.rotate': ok('Give a token a new secret; the old one works on for the grace', shownToken),
  'token.revoke': ok('Revoke a token', tokenView),
  'token.revoke_leaked': ok('Revoke those of the given strings that are tokens of this gateway', leakedTokenList),
  'person.list': ok('List people', personList),
  'person.set': ok("Set somebody's roles by hand, or leave them to the next sign-in", endedPerson),
  'person.disable': ok('Keep somebody out; their sessions end', endedPerson),
  'person.enable': ok('Let somebody in again', personView),
  'person.remove': ok('Forget somebody; their sessions end', removedPerson),
  'person.erase': ok('Forget somebody, and what the record knows them by; their sessions end', erasedPerson),
  'session.list': ok('List browser sessions, last used first', sessionList),
  'session.end': ok('End a browser session, with its calls', endedSession),
  'stream.list': ok('List the X-Ray sessions that are open at this gateway, oldest first', streamList),
  'stream.end': ok('End an X-Ray session; both its sides are told', endedStream),
  'link.create': made('Make a link that signs somebody in, once, within ten minutes', shownLink),
  apply: ok('Take teams to the state that is given, step by step', applied),
  'audit.export': { ...ok('Export the record, oldest first', exportText), contentTypes: EXPORT_TYPES },
  'audit.sinks': ok('List where this gateway delivers the record to, and how far', sinkList),
  'audit.keys': ok('List the keys that sign the record', signingKeyList),
  'audit.key.rotate': made('Make a new key, which signs the record from now on', signingKeyView),
  'audit.prune.preview': ok('Say what of the record would go, as its retention is set', pruneView),
  'audit.prune': ok('Take out of the record what its retention does not keep', pruneView),
  'audit.query': ok('Read the record, newest first', eventPage),
  'usage.query': ok('See who called what, how often, how much and how long', usageAnswer),
  'audit.show': ok('Read all events of one call or act, oldest first', eventList),
};

function ok<Answer>(summary: string, answer: z.ZodType<Answer>): Answered<Answer> {
  return { summary, status: 200, answer };
}

function made<Answer>(summary: string, answer: z.ZodType<Answer>): Answered<Answer> {
  return { summary, status: 201, answer };
}
