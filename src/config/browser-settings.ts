import { isLoopback } from './loopback.ts';
import type { ConfigInput } from './schema.ts';

/** What browsers would silently refuse, or what would leave a door open, stops the start. */
export function checkBrowserSettings({ listen, sessions, signIn, frontends }: ConfigInput, problems: string[]): void {
  checkCookie(listen.publicUrl, sessions, problems);
  if (listen.tls !== undefined && !listen.publicUrl?.startsWith('https:')) {
    problems.push(
      `listen.publicUrl (GATEWAY_PUBLIC_URL): expected the https address that callers use, since listen.tls is set; got ${listen.publicUrl ?? 'none'}`,
    );
  }
  const ids = new Set<string>();
  for (const [index, { id, issuer, rules }] of signIn.providers.entries()) {
    const where = `signIn.providers.${index}`;
    if (ids.has(id)) problems.push(`${where}.id: expected each once, got "${id}" again`);
    ids.add(id);
    const { protocol, hostname } = new URL(issuer);
    if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(bare(hostname)))) {
      problems.push(
        `${where}.issuer: expected https: whoever stands between could sign in as anybody; got "${issuer}"`,
      );
    }
    for (const [at, { role, teams }] of rules.entries()) checkRule(`${where}.rules.${at}`, role, teams, problems);
  }
  if (signIn.providers.length > 0 && listen.publicUrl === undefined) {
    problems.push(
      'listen.publicUrl (GATEWAY_PUBLIC_URL): expected the address that browsers see, since identity providers send people back to it',
    );
  }
  const origins = new Set<string>();
  for (const [index, { origin }] of frontends.entries()) {
    if (origins.has(origin)) problems.push(`frontends.${index}.origin: expected each once, got "${origin}" again`);
    origins.add(origin);
    const { protocol, hostname } = new URL(origin);
    if (protocol === 'http:' && !isLoopback(bare(hostname))) {
      problems.push(
        `frontends.${index}.origin: expected https: anybody on the way could act as this page; got "${origin}"`,
      );
    }
  }
}

function checkCookie(
  publicUrl: string | undefined,
  { cookie, idleMs, absoluteMs }: ConfigInput['sessions'],
  problems: string[],
): void {
  const url = publicUrl === undefined ? undefined : new URL(publicUrl);
  if (url?.protocol === 'http:' && !isLoopback(bare(url.hostname))) {
    problems.push(
      `listen.publicUrl (GATEWAY_PUBLIC_URL): expected https: session cookies would travel in the clear; got "${publicUrl}"`,
    );
  }
  if (cookie.secure === false && url?.protocol === 'https:') {
    problems.push('sessions.cookie.secure: expected true, since listen.publicUrl is https; got false');
  }
  if (cookie.secure === true && url?.protocol !== 'https:') {
    problems.push(
      `sessions.cookie.secure: expected false, since listen.publicUrl is ${publicUrl ?? 'not set'} and browsers keep no Secure cookie from http; got true`,
    );
  }
  if (idleMs > absoluteMs) {
    problems.push(`sessions.idleMs: expected at most sessions.absoluteMs (${absoluteMs}), got ${idleMs}`);
  }
}

function checkRule(where: string, role: string, teams: readonly string[], problems: string[]): void {
  if (role === 'operator' && teams.length > 0) {
    problems.push(`${where}.teams: expected none, since an operator has all; got ${teams.join(', ')}`);
  }
  if (teams.length === 0 && role !== 'operator' && role !== 'auditor') {
    problems.push(`${where}.teams: expected the teams in which somebody becomes ${role}, got none`);
  }
}

/** IPv6 addresses stand in brackets in URLs only. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
