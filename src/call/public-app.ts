import express, { type NextFunction, type Request, type Response } from 'express';
import { GatewayError } from '../domain/errors.ts';
import { answerError } from '../http/answer.ts';
import type { Handler } from '../http/public-server.ts';
import type { RequestTarget } from '../http/request-target.ts';
import { answerOptions } from './answer-options.ts';
import { type WalkRooms, walk } from './walk.ts';

/** Where a request's checked target is kept on its way through Express. */
const TARGET = Symbol('request target');

type Targeted = { [TARGET]?: RequestTarget };

/** The public door: which path goes to whom. */
export function createPublicApp(rooms: WalkRooms, ending: { readonly begun: boolean }): Handler {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');

  app.use('/v1', function callMason(req: Request, res: Response, next: NextFunction): void {
    const target = (req as Targeted)[TARGET] as RequestTarget;
    if (ending.begun) {
      answerError(res, new GatewayError('shutting_down', 'the gateway is shutting down: try another'), {
        Connection: 'close',
      });
    } else if (req.method === 'OPTIONS') {
      answerOptions(rooms.routes, res, target);
    } else {
      walk(rooms, req, res, target).catch(next);
    }
  });

  app.use(function answerUnknown(req: Request, res: Response): void {
    const target = (req as Targeted)[TARGET] as RequestTarget;
    if (req.method === 'OPTIONS') answerOptions(rooms.routes, res, target);
    else
      answerError(
        res,
        new GatewayError('unknown_operation', `there is nothing at ${target.path}; Mason's API is at /v1`),
      );
  });

  // Express tells an error handler by its four parameters.
  app.use(function answerBug(error: unknown, _req: Request, res: Response, _next: NextFunction): void {
    answerError(res, error);
  });

  return (req, res, target) => {
    (req as Targeted)[TARGET] = target;
    req.url = target.path + target.query;
    app(req as Request, res as Response);
  };
}
