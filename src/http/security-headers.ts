import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/**
 * The security headers of every answer, proxied ones and errors too. Helmet decides them once: they depend on nothing
 * that a request says, so that the path of a call only copies them.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = decide();

function decide(): Record<string, string> {
  const headers: Record<string, string> = {};
  const sink = {
    setHeader: (name: string, value: string) => {
      headers[name] = value;
    },
    removeHeader: () => {},
  };
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
    },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    // About pages, downloads and plug-ins: an answer of JSON has none, and each header costs every call.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })({} as IncomingMessage, sink as unknown as ServerResponse, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  headers['Cache-Control'] = 'no-store';
  return headers;
}
