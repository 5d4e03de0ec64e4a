import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { type Answer, errorAnswer, jsonAnswer } from './mason/answer.ts';
import { sendAnswer } from './send-answer.ts';

const PREFIX = '/example/';
/** Beside this file, in the source as in the package. */
const PAGES = new URL('./example/', import.meta.url);
/** Not imported but served: the page runs it, the simulator does not. */
const CLIENT = new URL('../client/', import.meta.url);
/** In the source the client is TypeScript, of which browsers get what is left without types; in the package it is compiled. */
const CLIENT_FORM = extname(import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** Whether a request is for the example frontend, and nothing that Mason would have. */
export function isExample(target: string): boolean {
  return target === '/example' || target.startsWith('/example?') || target.startsWith(PREFIX);
}

/**
 * `/example/`: a page that uses Mason through a gateway, as a frontend of the company's would. It is counted nowhere.
 *
 * @param gatewayUrl origin of the gateway; undefined: nobody said, and the page tells so
 */
export async function serveExample(
  gatewayUrl: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerFor(request, gatewayUrl);
  sendAnswer(response, { ...answer, headers: [...answer.headers, ...pageHeaders(gatewayUrl)] });
}

async function answerFor({ method, url = '' }: IncomingMessage, gatewayUrl: string | undefined): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') {
    return errorAnswer(405, 'invalid_request_error', `${method} is not allowed here, only GET`, ['Allow', 'GET, HEAD']);
  }
  const [path = ''] = url.split('?', 1);
  if (path === '/example') return { status: 308, headers: ['Location', PREFIX], body: '' };
  const name = path.slice(PREFIX.length);
  if (name === 'config.json') return jsonAnswer({ gatewayUrl: gatewayUrl ?? null });
  return (await fileAt(name)) ?? errorAnswer(404, 'not_found_error', `${path} does not exist`);
}

async function fileAt(name: string): Promise<Answer | undefined> {
  // Modules of the client name each other as they are in the source, whichever form they have here.
  const module = /^client\/([a-z-]+)\.[jt]s$/.exec(name)?.[1];
  if (module !== undefined) {
    const text = await textOf(new URL(`${module}${CLIENT_FORM}`, CLIENT));
    const script = text !== undefined && CLIENT_FORM === '.ts' ? stripTypeScriptTypes(text) : text;
    return script === undefined ? undefined : fileAnswer('js', script);
  }
  const [, file = 'index.html', form = 'html'] = /^([a-z-]+\.(html|css|js))$/.exec(name) ?? [];
  if (name !== '' && file !== name) return undefined;
  const text = await textOf(new URL(file, PAGES));
  return text === undefined ? undefined : fileAnswer(form, text);
}

function fileAnswer(form: string, body: string): Answer {
  return { status: 200, headers: ['Content-Type', TYPES[form] as string], body };
}

async function textOf(file: URL): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Own files and the gateway, nothing else: what a careful frontend would say of itself. */
function pageHeaders(gatewayUrl: string | undefined): string[] {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src 'self'${gatewayUrl === undefined ? '' : ` ${gatewayUrl}`}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return [
    ...['Content-Security-Policy', policy.join('; ')],
    ...['Cache-Control', 'no-store'],
    ...['Referrer-Policy', 'no-referrer'],
    ...['X-Content-Type-Options', 'nosniff'],
  ];
}
