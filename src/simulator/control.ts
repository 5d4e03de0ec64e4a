import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseRule } from './faults/parse-rule.ts';
import { type Answer, errorAnswer, jsonAnswer } from './mason/answer.ts';
import { ROUTES } from './mason/routes.ts';
import type { StatsReport } from './record/stats.ts';
import type { Run } from './run.ts';
import { sendAnswer } from './send-answer.ts';
import { parseXrayState } from './xray/parse-xray-state.ts';

/** What `/_sim` may do to the simulator around the present run. */
export interface Controlled {
  readonly run: Run;
  readonly connections: StatsReport['connections'];
  reset(): void;
}

type Act = (controlled: Controlled, query: URLSearchParams, body: string) => Answer;

const PREFIX = '/_sim/';
const REQUESTS_DEFAULT = 100;

const ACTS: Readonly<Record<string, Act>> = {
  'GET faults': ({ run }) => jsonAnswer({ data: run.faults.list() }),
  'POST faults': ({ run }, _, body) => {
    const rule = parseRule(body);
    return typeof rule === 'string' ? refusal(400, rule) : jsonAnswer(run.faults.add(rule));
  },
  'DELETE faults': ({ run }) => {
    run.faults.clear();
    return jsonAnswer({});
  },
  'GET stats': ({ run, connections }, query) => {
    const windowMs = number(query, 'windowMs');
    return windowMs === 'bad'
      ? refusal(400, 'windowMs: expected a whole number of at least 1')
      : jsonAnswer(run.stats.report(connections, windowMs));
  },
  'GET requests': ({ run }, query) => {
    const last = number(query, 'last');
    return last === 'bad'
      ? refusal(400, 'last: expected a whole number of at least 1')
      : jsonAnswer({ data: run.log.last(last ?? REQUESTS_DEFAULT) });
  },
  'GET state': ({ run }) => {
    const { fleet, effects, artifacts } = run.account;
    return jsonAnswer({ devices: fleet.devices.length, groups: fleet.groups.length, effects, artifacts });
  },
  // With how far each can be trusted; handlers are no data and fall out.
  'GET routes': () => jsonAnswer({ data: ROUTES }),
  'GET xray': ({ run }) => jsonAnswer({ data: run.account.xray.active() }),
  'POST xray': ({ run }, _, body) => {
    const given = parseXrayState(body);
    if (typeof given === 'string') return refusal(400, given);
    run.account.xray.set(given.device, given.state);
    return jsonAnswer(given);
  },
  'POST reset': (controlled) => {
    controlled.reset();
    return jsonAnswer({});
  },
};

export function isControl(target: string): boolean {
  return target.startsWith(PREFIX);
}

/** `/_sim`: for whoever runs the simulator, so from this machine only and without a key. It is counted nowhere. */
export async function serveControl(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    sendAnswer(response, refusal(403, '/_sim answers callers on this machine only'));
    return;
  }
  const [path = '', query = ''] = (request.url ?? '').slice(PREFIX.length).split('?', 2);
  const act = ACTS[`${request.method} ${path}`];
  if (act === undefined) {
    sendAnswer(response, refusal(404, `known are ${Object.keys(ACTS).join(', ')} under ${PREFIX}`));
    return;
  }
  try {
    const body = await text(request);
    sendAnswer(response, act(controlled, new URLSearchParams(query), body));
  } catch (error) {
    // The caller went away in the middle of its own command: nobody is left to answer.
    if (!request.complete) return;
    throw error;
  }
}

function refusal(status: 400 | 403 | 404, message: string): Answer {
  return errorAnswer(status, 'invalid_request_error', message);
}

function number(query: URLSearchParams, name: string): number | undefined | 'bad' {
  const given = query.get(name);
  if (given === null) return undefined;
  return /^[1-9]\d{0,11}$/.test(given) ? Number(given) : 'bad';
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}
