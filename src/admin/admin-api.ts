import { randomUUIDv7 } from 'node:crypto';
import type { RequestListener } from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { GatewayError } from '../domain/errors.ts';
import { answerError, answerJson } from '../http/answer.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import { type Act, TextAnswer } from '../manage/act.ts';
import type { ActName, Acts } from '../manage/acts.ts';
import { answerText } from './answer-text.ts';
import { ANSWERS } from './answers.ts';
import { type Asker, type Identify, targetOf } from './asker.ts';
import { describeApi, OPENAPI_PATH } from './open-api.ts';
import { readInput } from './read-input.ts';
import { ROUTES, type Route } from './routes.ts';

export interface AdminApiOptions {
  readonly identify: Identify;
  /** Hears of bugs: of errors that nobody meant, with the request id that the caller was told. */
  readonly onBug: (error: unknown, requestId: string) => void;
  /** Name of the session cookie, for the description. */
  readonly cookieName: string;
}

/** Below it everything is the management API's, and nothing is told before it is known who asks. */
const ROOT = '/admin/v1';

/**
 * The management API over HTTP, the same on every door. Who asks is found out before anything else is looked at; only the API's
 * own description, and the methods of a path, are for everybody. Paths outside of `/admin/v1` are left to whoever comes next.
 */
export function createAdminApi(acts: Acts, options: AdminApiOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  const description = describeApi(acts, options.cookieName);
  app.use(ROOT, giveRequestId);
  app.get(OPENAPI_PATH, (_req, res) => answerJson(res, 200, description, idHeader(res.locals)));
  app.options(OPENAPI_PATH, tellMethods(['GET']));
  for (const [path, names] of actsByPath()) app.options(path, tellMethods(names.map((name) => ROUTES[name].method)));
  app.use(ROOT, function refuseOtherOptions(req, res, next) {
    if (req.method === 'OPTIONS') refusePath(req, res, next);
    else next();
  });
  app.use(ROOT, identifyAsker(options.identify));
  app.route(OPENAPI_PATH).all(refuseMethod(['GET']));
  for (const [path, names] of actsByPath()) {
    const route = app.route(path);
    for (const name of names) route[verbOf(name)](perform(acts[name], name));
    route.all(refuseMethod(names.map((name) => ROUTES[name].method)));
  }
  app.use(ROOT, refusePath);
  app.use(answerFailure(options));
  return app;
}

/** A door with nothing but the management API behind it: the Unix socket. */
export function serveAlone(api: Express): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.use(api);
  app.use(function answerElsewhere(req: Request, res: Response): void {
    answerError(res, nothingAt(req));
  });
  return app;
}

function actsByPath(): Map<string, ActName[]> {
  return Map.groupBy(Object.keys(ROUTES) as ActName[], (name) => ROUTES[name].path);
}

function verbOf(name: ActName): 'get' | 'post' | 'patch' | 'delete' {
  return ROUTES[name].method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
}

const giveRequestId: RequestHandler = (_req, res, next) => {
  res.locals['requestId'] = randomUUIDv7();
  res.setHeader('Request-Id', requestIdOf(res.locals));
  next();
};

function identifyAsker(identify: Identify): RequestHandler {
  return async function identifyBeforeAll(req, res, next) {
    res.locals['asker'] = await identify(req, requestIdOf(res.locals));
    next();
  };
}

function perform(act: Act<unknown>, name: ActName): RequestHandler {
  return async function performAct(req, res) {
    const { by, query } = res.locals['asker'] as Asker;
    const input = await readInput(req, res, ROUTES[name], query);
    const answer = await act(by, input, requestIdOf(res.locals));
    if (answer instanceof TextAnswer) await answerText(res, answer, idHeader(res.locals));
    else answerJson(res, ANSWERS[name].status, answer, idHeader(res.locals));
  };
}

/** With HEAD where there is GET, which answers both. */
function allowing(methods: readonly Route['method'][]): string[] {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

/** To anybody: a browser that asks before it asks shows no credential (Fetch standard, CORS-preflight fetch). */
function tellMethods(methods: readonly Route['method'][]): RequestHandler {
  const headers = { ...SECURITY_HEADERS, Allow: ['OPTIONS', ...allowing(methods)].join(', ') };
  return function answerOptions(_req, res) {
    res.writeHead(204, headers).end();
  };
}

function refuseMethod(methods: readonly Route['method'][]): RequestHandler {
  const allow = allowing(methods);
  return function refuseOtherMethods(req) {
    throw new GatewayError('method_not_allowed', `${req.path}: expected ${allow.join(' or ')}, got ${req.method}`, {
      allow,
    });
  };
}

const refusePath: RequestHandler = (req) => {
  throw nothingAt(req);
};

function nothingAt(req: Request): GatewayError {
  return new GatewayError('unknown_operation', `the management API has no ${targetOf(req).path.slice(0, 256)}`);
}

function answerFailure({ onBug }: AdminApiOptions): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return function answerFailed(error: unknown, _req, res, _next) {
    const meant = asMeant(error);
    if (!(meant instanceof GatewayError)) onBug(error, requestIdOf(res.locals));
    answerError(res, meant, idHeader(res.locals));
  };
}

/** A path that cannot be decoded is refused by Express, with a status; the rest is as it was thrown. */
function asMeant(error: unknown): unknown {
  const isRefusal = !(error instanceof GatewayError) && Object(error).status === 400;
  return isRefusal ? new GatewayError('invalid_request', 'expected a well-formed path', { cause: error }) : error;
}

function idHeader(locals: Record<string, unknown>): { 'Request-Id': string } {
  return { 'Request-Id': requestIdOf(locals) };
}

function requestIdOf(locals: Record<string, unknown>): string {
  return String(locals['requestId']);
}
