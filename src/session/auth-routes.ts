import { randomUUIDv7 } from 'node:crypto';
import type { BlockList } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from 'express';
import { GatewayError } from '../domain/errors.ts';
import { answerError } from '../http/answer.ts';
import { isListed } from '../http/peer-address.ts';

export interface AuthAppOptions {
  /** Who may say by which protocol a request came to them, and from where. Nobody else is believed. */
  readonly trustedProxies: BlockList | undefined;
  /** Stands before every route. */
  readonly guard: RequestHandler;
  readonly routes: readonly Router[];
  /** Hears of errors that nobody meant, with the request id that the caller was told. */
  onBug(error: unknown, requestId: string): void;
}

/** The routes of people and their browsers: `/`, `/auth/…`. Each error is answered in our shape; nothing here redirects an API. */
export function createAuthApp({ trustedProxies, guard, routes, onBug }: AuthAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('trust proxy', (address: string) => trustedProxies !== undefined && isListed(trustedProxies, address));
  app.use(giveRequestId, guard);
  for (const router of routes) app.use(router);
  app.use(function refuseUnserved(req) {
    throw new GatewayError(
      'not_found',
      `${req.path} is not served here: no identity provider is configured; an operator makes a link with "mason-gateway sign-in-link"`,
    );
  });
  // Express knows an error handler by its four parameters.
  const answerFailed: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
    const meant = asMeant(error);
    if (!(meant instanceof GatewayError)) onBug(error, String(res.getHeader('Request-Id')));
    answerError(res, meant);
  };
  app.use(answerFailed);
  return app;
}

const giveRequestId: RequestHandler = (_req, res, next) => {
  res.setHeader('Request-Id', randomUUIDv7());
  next();
};

/** What the router refuses carries a status: a path parameter that is no UTF-8. */
function asMeant(error: unknown): unknown {
  const isOurs = error instanceof GatewayError || typeof error !== 'object' || error === null || !('status' in error);
  if (isOurs || error.status !== 400) return error;
  return new GatewayError('invalid_request', 'expected a well-formed path', { cause: error });
}
