import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { exportJWK, generateKeyPair } from 'jose';
import type { Provider } from 'oidc-provider';

/** Claims by the name with which somebody signs in; `sub` is that name. */
export type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface ProviderClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Origin of the gateway. */
  readonly publicUrl: string;
  /** Where a logout is told, when not at `publicUrl`. */
  readonly reachedAt?: () => string;
  /** Whether ID and logout tokens carry `sid`. */
  readonly withSid?: boolean;
  /** How the client proves itself. */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post';
}

/** A real identity provider on a free port of this machine. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Method and path of each request, in order. */
  readonly asked: string[];
  /** Logout tokens that the gateway took, or did not take. */
  readonly logouts: ('taken' | 'refused')[];
  /** Signs with a new key from now on; the old one is gone from the key set. */
  rotateKeys(): Promise<void>;
  /** Lets nobody through, until it goes up again on the same port. */
  goDown(): Promise<void>;
  goUp(): Promise<void>;
}

/**
 * Starts oidc-provider. Its login page lists the accounts as buttons, and its consent page has one; a program posts the field
 * `account`, or nothing, to the page's own address.
 */
export async function startIdentityProvider(
  accounts: Accounts,
  clientsFor: (issuer: string) => readonly ProviderClient[],
): Promise<IdentityProvider> {
  const asked: string[] = [];
  const logouts: ('taken' | 'refused')[] = [];
  let provider: Provider;
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    asked.push(`${req.method} ${new URL(req.url ?? '', 'http://idp').pathname}`);
    if (req.url?.startsWith('/interaction/')) {
      interact(provider, accounts, req, res).catch((error: unknown) => res.writeHead(500).end(String(error)));
    } else provider.callback()(req, res);
  };
  let server = createServer(serve);
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const rotateKeys = async (): Promise<void> => {
    provider = await quietly(accounts, issuer, clientsFor(issuer));
    provider.on('backchannel.success', () => logouts.push('taken'));
    provider.on('backchannel.error', () => logouts.push('refused'));
  };
  await rotateKeys();
  return {
    issuer,
    asked,
    logouts,
    rotateKeys,
    goDown: stop,
    async goUp() {
      server = createServer(serve);
      await listen(port);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** It warns of the runtime, and that it forgets everything when it ends. */
async function quietly(accounts: Accounts, issuer: string, clients: readonly ProviderClient[]): Promise<Provider> {
  using _warnings = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const { Provider } = await import('oidc-provider');
  return new Provider(issuer, await configuration(accounts, clients));
}

let keysMade = 0;

async function configuration(accounts: Accounts, clients: readonly ProviderClient[]): Promise<Record<string, unknown>> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  keysMade += 1;
  const key = { ...(await exportJWK(privateKey)), kid: `key-${keysMade}`, use: 'sig', alg: 'RS256' };
  const claims = [...new Set(Object.values(accounts).flatMap(Object.keys))];
  return {
    jwks: { keys: [key] },
    cookies: { keys: ['the identity provider of the tests'] },
    clients: clients.map((client) => ({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      token_endpoint_auth_method: client.authMethod ?? 'client_secret_basic',
      redirect_uris: [`${client.publicUrl}/auth/callback`],
      post_logout_redirect_uris: [`${client.publicUrl}/`],
      backchannel_logout_uri: `${client.publicUrl}/auth/backchannel-logout`,
      backchannel_logout_session_required: client.withSid ?? true,
    })),
    claims: { openid: ['sub'], profile: claims },
    // Otherwise all claims but the subject are at the userinfo endpoint only.
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, accountId: string) =>
      accounts[accountId] && { accountId, claims: () => ({ sub: accountId, ...accounts[accountId] }) },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        logoutSource: (context: { body: string }, form: string) => {
          context.body = `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`;
        },
      },
    },
    // Its own refuses to tell machines of private networks that somebody signed out.
    fetch: (url: string, { dispatcher: _own, ...options }: RequestInit & { dispatcher?: unknown }) => {
      const client = clients.find(({ publicUrl }) => url.startsWith(publicUrl));
      const reached = client?.reachedAt?.() ?? client?.publicUrl ?? '';
      return fetch(url.replace(client?.publicUrl ?? '', reached), options);
    },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  };
}

async function interact(
  provider: Provider,
  accounts: Accounts,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (req.method !== 'POST') {
    const names = prompt.name === 'login' ? Object.keys(accounts) : ['Continue'];
    const buttons = names.map((name) => `<button name="account" value="${name}">${name}</button>`);
    res.writeHead(200, { 'content-type': 'text/html' }).end(`<form method="post">${buttons.join('')}</form>`);
    return;
  }
  let form = '';
  for await (const chunk of req) form += String(chunk);
  if (prompt.name === 'login') {
    const accountId = new URLSearchParams(form).get('account') ?? '';
    const result = accountId in accounts ? { login: { accountId } } : { error: 'access_denied' };
    await provider.interactionFinished(req, res, result);
    return;
  }
  const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}
