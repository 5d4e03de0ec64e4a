import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Members of a token; undefined leaves one out. */
export type Claims = Readonly<Record<string, unknown>>;

/** An identity provider that does what a real one would not. */
export interface FakeProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Paths asked for, in order. */
  readonly asked: string[];
  /** Header and form of each request to the token endpoint. */
  readonly redeemed: { readonly authorization: string | undefined; readonly form: URLSearchParams }[];
  readonly key: SigningKey;
  /** What `/jwks` tells. */
  keys: JWK[];
  /** Members over those of honest metadata; undefined leaves one out. */
  metadata: Claims;
  /** Answers the token endpoint. */
  answerToken: (res: ServerResponse) => void | Promise<void>;
  /** An ID or logout token that holds, but for what is given. */
  sign(claims: Claims, header?: Claims, key?: SigningKey): Promise<string>;
}

export async function newKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } };
}

export async function startFakeProvider(): Promise<FakeProvider> {
  const key = await newKey('fake-1');
  const server = createServer((req, res) => {
    serve(req, res).catch((error: unknown) => res.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeProvider = {
    issuer,
    asked: [],
    redeemed: [],
    key,
    keys: [key.publicJwk],
    metadata: {},
    answerToken: (res) => json(res, 400, { error: 'invalid_grant' }),
    sign(claims, header = {}, { kid, privateKey } = key) {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ iss: issuer, aud: 'gateway', iat: now, exp: now + 120, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid, ...header })
        .sign(privateKey);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? '';
    fake.asked.push(path);
    if (path === '/.well-known/openid-configuration') {
      json(res, 200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
        authorization_response_iss_parameter_supported: true,
        ...fake.metadata,
      });
    } else if (path === '/jwks') json(res, 200, { keys: fake.keys });
    else if (path === '/token') {
      let form = '';
      for await (const chunk of req) form += String(chunk);
      fake.redeemed.push({ authorization: req.headers.authorization, form: new URLSearchParams(form) });
      await fake.answerToken(res);
    } else json(res, 404, {});
  }
  return fake;
}

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
