import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { GatewayError } from '../domain/errors.ts';
import { answerError } from '../http/answer.ts';
import type { Handler } from '../http/public-server.ts';
import type { RequestTarget } from '../http/request-target.ts';
import { answerOptions } from './answer-options.ts';
import { type WalkRooms, walk } from './walk.ts';

/**
 * The public door: which path goes to whom. Calls go straight to the walk: Express gives each request and answer another
 * prototype, after which every look at them, in Node itself too, is slower. Everything else is Express'.
 */
export function createPublicApp(rooms: WalkRooms, ending: { readonly begun: boolean }): Handler {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');

  app.use(function answerUnknown(req: Request, res: Response): void {
    if (req.method === 'OPTIONS') answerOptions(rooms.routes, res, req.originalUrl);
    else
      answerError(res, new GatewayError('unknown_operation', `there is nothing at ${req.path}; Mason's API is at /v1`));
  });

  // Express tells an error handler by its four parameters.
  app.use(function answerBug(error: unknown, _req: Request, res: Response, _next: NextFunction): void {
    answerError(res, error);
  });

  const callMason = (req: IncomingMessage, res: ServerResponse, target: RequestTarget): void => {
    if (ending.begun) {
      const refusal = new GatewayError('shutting_down', 'the gateway is shutting down: try another');
      answerError(res, refusal, { Connection: 'close' });
    } else if (req.method === 'OPTIONS') {
      answerOptions(rooms.routes, res, target.path);
    } else {
      walk(rooms, req, res, target).catch((bug: unknown) => answerError(res, bug));
    }
  };

  return (req, res, target) => {
    if (target.path === '/v1' || target.path.startsWith('/v1/')) {
      callMason(req, res, target);
      return;
    }
    req.url = target.path + target.query;
    app(req as Request, res as Response);
  };
}
