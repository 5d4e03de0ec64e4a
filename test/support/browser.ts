import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { findProgram } from '../tools/find-program.ts';
import { CHROMIUM } from '../tools/tools.ts';

/** A real Chromium, without a window, to which every name is this machine and every certificate is good. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findProgram(CHROMIUM);
  if (executablePath === undefined) throw new Error('there is no Chromium: run "npm run tools"');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP *.test 127.0.0.1'],
  });
}

/** What a context's pages asked for, said and were told, as an attacker with the developer tools would see it. */
export interface Witnessed {
  readonly urls: string[];
  readonly console: string[];
  /** Headers that pages sent and got, without the session cookie's own two. */
  readonly headers: string[];
  readonly bodies: string[];
}

/** Writes down all traffic and all messages of a context, from now on. */
export function witness(context: BrowserContext): Witnessed {
  const seen: Witnessed = { urls: [], console: [], headers: [], bodies: [] };
  context.on('console', (message) => seen.console.push(message.text()));
  context.on('request', (request) => seen.urls.push(request.url()));
  context.on('response', (response) => {
    const shown = Object.entries(response.headers()).filter(([name]) => name !== 'set-cookie');
    seen.headers.push(...shown.map(([name, value]) => `${name}: ${value}`));
    response.text().then(
      (text) => seen.bodies.push(text),
      // Redirects, preflights and answers of closed pages have none.
      () => undefined,
    );
  });
  return seen;
}
