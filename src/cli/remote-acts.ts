import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { ACCOUNT_HEADER, requestFor } from '../admin/routes.ts';
import { TextAnswer } from '../manage/act.ts';
import type { ActClient } from './act-client.ts';
import { AwayError, CliError } from './cli-error.ts';

/** A key test may wait its turn in the line and then for Mason. */
const ANSWER_MS_MAX = 180_000;

/** Acts in the running gateway, over its socket. */
export function remoteActs(socketPath: string, account: string | undefined): ActClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async perform(name, input = {}) {
      const { method, target, body } = requestFor(name, input);
      const asked = request({
        socketPath,
        agent,
        method,
        path: target,
        timeout: ANSWER_MS_MAX,
        headers: {
          Host: 'gateway',
          ...(account === undefined ? {} : { [ACCOUNT_HEADER]: account }),
          ...(body === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
        },
      });
      asked.on('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_MS_MAX / 1_000} s`)));
      let answer: IncomingMessage;
      let answered: string;
      try {
        const response = once(asked, 'response');
        asked.end(body);
        [answer] = await response;
        const told = toldPieces(answer);
        if (told !== undefined) return told as never;
        answered = await text(answer);
      } catch (error) {
        throw new AwayError(`the gateway at ${socketPath} did not answer: ${messageOf(error)}`, error);
      }
      const parsed = parse(answered, socketPath);
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) return parsed as never;
      throw refusal(status, parsed);
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

/** An answer that comes piece by piece; one that ends too early throws where it is read. */
function toldPieces(answer: IncomingMessage): TextAnswer | undefined {
  const type = answer.headers['content-type'];
  if (answer.statusCode !== 200 || type === undefined || type.startsWith('application/json')) return undefined;
  return new TextAnswer(type, answer.setEncoding('latin1'));
}

function parse(answered: string, socketPath: string): unknown {
  try {
    return JSON.parse(answered);
  } catch (error) {
    throw new CliError('failed', 'api_error', `${socketPath}: expected a gateway's JSON, got something else`, error);
  }
}

function refusal(status: number, answered: unknown): CliError {
  const { type = 'api_error', message = `status ${status}` } = Object(answered) as {
    type?: unknown;
    message?: unknown;
  };
  // So does one answer that cannot read its record now, as while it closes its rooms.
  if (status === 503) return new AwayError(String(message));
  return new CliError(status === 400 ? 'usage' : 'failed', String(type), String(message));
}

function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
