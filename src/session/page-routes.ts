import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RequestHandler, Router } from 'express';
import { SECURITY_HEADERS } from '../http/security-headers.ts';

const PAGES = join(import.meta.dirname, 'pages');

/** Own files only: nothing inline, nothing from elsewhere, no form that posts by itself, and no HTML made of text. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join(';');

/**
 * The pages to sign in by a link and to look at one's own account: static files that ask the JSON routes, and hold nothing
 * of anybody.
 *
 * @param canLogIn whether there is an identity provider to send people to
 */
export function pageRoutes({ canLogIn }: { canLogIn: boolean }): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/', (_req, res) => {
    res.writeHead(303, { ...SECURITY_HEADERS, Location: '/auth/account', 'Content-Length': 0 });
    res.end();
  });
  const account = read('account.html').replace('data-sign-in=""', `data-sign-in="${canLogIn ? 'login' : 'link'}"`);
  router.get('/auth/account', serve('text/html', account));
  router.get('/auth/account.js', serve('text/javascript', read('account.js')));
  router.get('/auth/link', serve('text/html', read('link.html')));
  router.get('/auth/link.js', serve('text/javascript', read('link.js')));
  router.get('/auth/page.css', serve('text/css', read('page.css')));
  return router;
}

function read(name: string): string {
  return readFileSync(join(PAGES, name), 'utf8');
}

function serve(type: string, text: string): RequestHandler {
  const body = Buffer.from(text);
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': PAGE_POLICY,
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': body.length,
  };
  return function servePage(_req, res) {
    res.writeHead(200, headers);
    res.end(body);
  };
}
