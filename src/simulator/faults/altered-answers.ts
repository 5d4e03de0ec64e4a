import { type Answer, type ErrorType, errorAnswer } from '../mason/answer.ts';
import type { Fault, FaultHeaders } from './fault.ts';

const ERROR_TYPES: Readonly<Record<number, ErrorType>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  429: 'rate_limit_error',
};
const JSON_HEADERS = ['Content-Type', 'application/json; charset=utf-8'];
const HUGE_BYTES = 64 * 1024;

/** The answer that stands in for the true one, for the kinds that are strange in content and sound in framing. */
export function alteredAnswer(fault: Fault, answer: Answer, authorization: string): Answer | undefined {
  switch (fault.kind) {
    case 'status':
      return statusAnswer(fault);
    case 'redirect':
      return { status: fault.status ?? 302, headers: ['Location', fault.location], body: '' };
    case 'html':
      return htmlPage(fault.status ?? 502);
    case 'old-error':
      return oldError(fault);
    case 'truncated-json':
      return { status: fault.status ?? 500, headers: JSON_HEADERS, body: '{"type":"api_error","mess' };
    case 'huge-header':
      return { ...answer, headers: [...answer.headers, 'X-Huge', 'h'.repeat(fault.bytes ?? HUGE_BYTES)] };
    case 'response-headers':
      return { ...answer, headers: [...answer.headers, ...flat(fault.headers)] };
    case 'echo-authorization':
      return fault.chunked === true ? undefined : echo(fault.in ?? 'body', authorization, answer);
    default:
      return undefined;
  }
}

function statusAnswer(fault: Extract<Fault, { kind: 'status' }>): Answer {
  const headers = flat(fault.headers ?? {});
  if (fault.body === undefined) {
    const type = ERROR_TYPES[fault.status] ?? (fault.status < 500 ? 'invalid_request_error' : 'api_error');
    return errorAnswer(fault.status, type, `The simulator was told to answer ${fault.status}`, headers);
  }
  const typed = headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-type');
  return { status: fault.status, headers: [...(typed ? [] : JSON_HEADERS), ...headers], body: fault.body };
}

function htmlPage(status: number): Answer {
  const title = `${status} Bad Gateway`;
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body><center><h1>${title}</h1></center></body>\r\n</html>\r\n`;
  return { status, headers: ['Content-Type', 'text/html', 'Server', 'awselb/2.0'], body };
}

/** The shapes of Mason's older services, as its own public clients read them. */
function oldError(fault: Extract<Fault, { kind: 'old-error' }>): Answer {
  const status = fault.status ?? 500;
  const message = fault.message ?? 'Something went wrong';
  const shapes = {
    itemized: { error: 'Error', details: message, itemized: [{ code: 'E_OLD', message }] },
    nested: { error: { details: message } },
    data: { data: message },
    message: { message },
  };
  switch (fault.shape) {
    case 'plain':
      return { status, headers: ['Content-Type', 'text/plain'], body: message };
    case 'empty':
      return { status, headers: [], body: '' };
    default:
      return { status, headers: JSON_HEADERS, body: JSON.stringify(shapes[fault.shape]) };
  }
}

function echo(where: 'body' | 'header', authorization: string, answer: Answer): Answer {
  if (where === 'header') return { ...answer, headers: [...answer.headers, 'X-Echo-Authorization', authorization] };
  return { status: 200, headers: JSON_HEADERS, body: JSON.stringify({ authorization }) };
}

function flat(headers: FaultHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]));
}
