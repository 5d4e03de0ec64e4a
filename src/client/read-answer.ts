import { retryAfterMs } from './answer-facts.ts';
import { type CallErrorFacts, type ErrorSource, GatewayCallError } from './gateway-call-error.ts';

/**
 * The JSON of a good answer; undefined when it has no body.
 *
 * @throws GatewayCallError for every other answer
 */
export function readAnswer(response: Response, text: string): unknown {
  const { headers, status } = response;
  const requestId = headers.get('request-id') ?? undefined;
  const failed = (facts: Pick<CallErrorFacts, 'type' | 'source' | 'message'>): GatewayCallError =>
    new GatewayCallError({ ...facts, status, requestId, retryAfterMs: retryAfterMs(headers) });

  if (response.ok && text === '') return undefined;
  const body = parse(text);
  if (response.ok) {
    if (body !== undefined) return body.value;
    const got = headers.get('content-type') ?? 'no content type';
    const message = `expected JSON, got something else (${got}): is baseUrl the gateway's address?`;
    throw failed({ type: 'api_error', source: 'network', message });
  }
  const { type, message } = Object(body?.value) as Record<string, unknown>;
  if (typeof type === 'string' && typeof message === 'string') {
    throw failed({ type, message, source: sourceOf(headers) ?? 'gateway' });
  }
  // The gateway always answers in its shape: something before it did not let the call through, or did not reach it.
  const unshaped = `${status} without an error of the gateway's: something between here and it answered`;
  throw failed({ type: 'api_error', source: sourceOf(headers) ?? 'network', message: unshaped });
}

function sourceOf(headers: Headers): ErrorSource | undefined {
  const source = headers.get('error-source');
  return source === 'mason' || source === 'gateway' ? source : undefined;
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
