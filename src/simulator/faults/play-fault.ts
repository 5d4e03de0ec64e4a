import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, textAnswer } from '../mason/answer.ts';
import { sendAnswer, writeHead } from '../send-answer.ts';
import { alteredAnswer } from './altered-answers.ts';
import { brokenMessage, truncated } from './broken-messages.ts';
import type { Fault } from './fault.ts';
import { dripBody, echoInPieces, sendLarge } from './slow-answers.ts';

/** For faults that happen before the call was processed and still need an answer to spoil. */
const CANNED = textAnswer('{"data":[{"id":"00000000-0000-4000-8000-000000000000","name":"canned"}]}');
/** Long enough for what was written to be read before the RST overtakes it. */
const BEFORE_RESET_MS = 20;

/**
 * Answers a request in the way the fault asks for.
 * @param trueAnswer absent when the call was not processed.
 * @returns the status that the caller saw, null when it saw no sound answer.
 */
export async function playFault(
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  trueAnswer: Answer | undefined,
): Promise<number | null> {
  const answer = trueAnswer ?? CANNED;
  const { socket } = request;
  const altered = alteredAnswer(fault, answer, request.headers.authorization ?? '');
  if (altered !== undefined) {
    sendAnswer(response, altered);
    return altered.status;
  }
  const broken = brokenMessage(fault, answer);
  if (broken !== undefined) {
    socket.write(broken.bytes);
    if (broken.after === 'end') socket.destroySoon();
    return null;
  }
  switch (fault.kind) {
    case 'reset':
      if (fault.when === 'after-headers') {
        socket.write(truncated('length', answer));
        await sleep(BEFORE_RESET_MS);
      }
      socket.resetAndDestroy();
      return null;
    case 'slow-headers':
      await sleep(fault.delayMs);
      sendAnswer(response, answer);
      return answer.status;
    case 'slow-body':
      await dripBody(response, answer, fault.pieceBytes ?? 1, fault.delayMs);
      return answer.status;
    case 'wrong-length':
      writeHead(response, answer, Math.max(0, Buffer.byteLength(answer.body) + fault.by));
      response.end(answer.body);
      return answer.status;
    case 'informational':
      for (const status of fault.statuses) socket.write(`HTTP/1.1 ${status} Informational\r\n\r\n`);
      sendAnswer(response, answer);
      return answer.status;
    case 'echo-authorization':
      await echoInPieces(response, request.headers.authorization ?? '', fault.delayMs ?? 2);
      return 200;
    case 'large':
      await sendLarge(response, fault.bytes);
      return 200;
    default:
      // `hang`: the connection stays as it is until the caller gives up.
      return null;
  }
}
