import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from './body.ts';
import { type Fault, needsTrueAnswer } from './faults/fault.ts';
import { playFault } from './faults/play-fault.ts';
import type { ApiKey } from './keys.ts';
import { errorAnswer } from './mason/answer.ts';
import { RouteMatcher } from './mason/match-route.ts';
import { ROUTES } from './mason/routes.ts';
import { type Arrived, type Outcome, processCall } from './process-call.ts';
import type { RequestRecord } from './record/request-log.ts';
import type { Run } from './run.ts';
import { sendAnswer } from './send-answer.ts';
import { parseTarget } from './target.ts';

const MATCHER = new RouteMatcher(ROUTES);
const BROKEN = errorAnswer(500, 'api_error', 'The simulator itself failed; see its standard error');

/** One call from its head to its answer: the way to Mason, a fault or Mason's work or both, and what is noted of it. */
export async function serveCall(
  run: Run,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
): Promise<void> {
  run.stats.reached();
  const seen: { key: ApiKey | undefined; status: number | null } = { key: undefined, status: null };
  try {
    const target = parseTarget(request.url ?? '');
    const method = request.method ?? '';
    const match = target.segments && MATCHER.match(method, target.segments);
    const upload = match !== undefined && 'route' in match && match.route.upload === true;
    const arrived = { request, target, match, body: readBody(request, record, !upload) };

    const way = run.delay(run.options.jitter);
    if (way > 0) await sleep(way);

    const early = run.faults.claimOnArrival(method, target.path);
    if (early !== undefined && !needsTrueAnswer(early)) {
      if (early.kind !== 'reset' || early.when !== 'before-body') await arrived.body;
      seen.status = await play(run, early, arrived, response, record, undefined);
      return;
    }
    const outcome = await processCall(run, arrived);
    seen.key = outcome.key;
    record.key = outcome.key?.label ?? null;
    if (outcome.answer === undefined) {
      run.stats.incomplete += 1;
      return;
    }
    const fault = early ?? (outcome.accepted ? run.faults.claimAfterProcessing(method, target.path) : undefined);
    if (fault !== undefined) {
      seen.status = await play(run, fault, arrived, response, record, outcome.answer);
      return;
    }
    seen.status = outcome.answer.status;
    sendAnswer(response, outcome.answer);
  } catch (error) {
    console.error('simulator: a call failed:', error);
    seen.status = BROKEN.status;
    if (!response.headersSent) sendAnswer(response, BROKEN);
  } finally {
    record.status = seen.status;
    record.tookMs = performance.now() - record.at;
    run.stats.left(seen.key, seen.status);
  }
}

function play(
  run: Run,
  fault: Fault,
  arrived: Arrived,
  response: ServerResponse,
  record: RequestRecord,
  answer: Outcome['answer'],
): Promise<number | null> {
  record.fault = fault.kind;
  run.stats.faultsPlayed += 1;
  return playFault(fault, arrived.request, response, answer);
}
