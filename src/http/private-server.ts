import { createServer, type Server } from 'node:http';
import { GatewayError } from '../domain/errors.ts';
import { answerError, answerJson } from './answer.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** What the private door tells. */
export interface Health {
  /** What is wrong, by part; empty when the gateway can take calls. */
  problems(): Readonly<Record<string, string>>;
  /** What is good to know and no reason to send calls elsewhere. */
  state(): Readonly<Record<string, string>>;
  metrics(): Promise<{ contentType: string; text: string }>;
}

/**
 * The door for those who run the gateway: never reachable from the public one. `/livez`: the process answers. `/readyz`:
 * it can take calls now (stores included), else 503 with the reasons. `/metrics`: for Prometheus.
 */
export function createPrivateServer(health: Health): Server {
  return createServer({ headersTimeout: 5_000, requestTimeout: 5_000 }, async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      answerError(
        res,
        new GatewayError('method_not_allowed', `${req.method} is not known here`, { allow: ['GET', 'HEAD'] }),
      );
      return;
    }
    switch (req.url?.split('?')[0]) {
      case '/livez':
        answerJson(res, 200, { status: 'live' });
        return;
      case '/readyz': {
        const problems = health.problems();
        const ready = Object.keys(problems).length === 0;
        const status = ready ? 'ready' : 'not ready';
        answerJson(res, ready ? 200 : 503, { status, problems, state: health.state() });
        return;
      }
      case '/metrics': {
        const { contentType, text } = await health.metrics();
        res.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': contentType });
        res.end(text);
        return;
      }
      default:
        answerError(res, new GatewayError('not_found', 'here are /livez, /readyz and /metrics'));
    }
  });
}
