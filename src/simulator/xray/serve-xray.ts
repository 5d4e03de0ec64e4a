import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsTrueAnswer } from '../faults/fault.ts';
import { playFault } from '../faults/play-fault.ts';
import type { ApiKey } from '../keys.ts';
import { errorAnswer } from '../mason/answer.ts';
import { RouteMatcher } from '../mason/match-route.ts';
import { ROUTES } from '../mason/routes.ts';
import { processCall } from '../process-call.ts';
import type { HeadTap } from '../record/head-tap.ts';
import type { RequestRecord } from '../record/request-log.ts';
import type { Run } from '../run.ts';
import { sendAnswer } from '../send-answer.ts';
import { parseTarget } from '../target.ts';
import { echo } from './echo.ts';

/** A request to become a WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage;
  /** For an answer in HTTP. */
  readonly response: ServerResponse;
  readonly tap: HeadTap;
  /** What came behind the head. */
  readonly more: Buffer;
}

const MATCHER = new RouteMatcher(ROUTES);
const NO_BODY = { bytes: 0, sha256: '', content: Buffer.alloc(0), complete: true, tooLarge: false };
const BROKEN = errorAnswer(500, 'api_error', 'The simulator itself failed; see its standard error');

/** One X-Ray session from its head on: the way to Mason, a fault or Mason's refusal, or a device that echoes. */
export async function serveXray(run: Run, upgrade: Upgrade, record: RequestRecord): Promise<void> {
  const { request, response } = upgrade;
  run.stats.reached();
  const seen: { key: ApiKey | undefined; status: number | null } = { key: undefined, status: null };
  try {
    const target = parseTarget(request.url ?? '');
    const match = target.segments && MATCHER.match(request.method ?? '', target.segments);
    const way = run.delay(run.options.jitter);
    if (way > 0) await sleep(way);
    const fault = run.faults.claimOnArrival(request.method ?? '', target.path);
    if (fault !== undefined) {
      record.fault = fault.kind;
      run.stats.faultsPlayed += 1;
    }
    if (fault !== undefined && !needsTrueAnswer(fault)) {
      seen.status = await playFault(fault, request, response, undefined);
      return;
    }
    // Of the faults that alter a true answer only its being late has a meaning here.
    if (fault?.kind === 'slow-headers') await sleep(fault.delayMs);
    const { key, answer = BROKEN } = await processCall(run, {
      request,
      target,
      match,
      body: Promise.resolve(NO_BODY),
      upgrade: true,
    });
    seen.key = key;
    record.key = key?.label ?? null;
    seen.status = answer.status;
    if (answer.status !== 101 || match === undefined || !('params' in match)) {
      sendAnswer(response, answer);
      return;
    }
    await echo(run.account.xray, match.params['device'] ?? '', upgrade);
  } catch (error) {
    console.error('simulator: an X-Ray session failed:', error);
    seen.status = BROKEN.status;
    if (!response.headersSent) sendAnswer(response, BROKEN);
  } finally {
    record.status = seen.status;
    record.tookMs = performance.now() - record.at;
    run.stats.left(seen.key, seen.status);
  }
}
