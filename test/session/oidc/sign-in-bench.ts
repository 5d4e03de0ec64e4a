import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type NextFunction, type Request, type Response } from 'express';
import { type Clock, systemClock } from '../../../src/domain/clock.ts';
import { GatewayError } from '../../../src/domain/errors.ts';
import { answerError } from '../../../src/http/answer.ts';
import { BadTries } from '../../../src/http/bad-tries.ts';
import type { ProviderSettings } from '../../../src/session/oidc/identity-provider.ts';
import { openIdSignIn } from '../../../src/session/oidc/open-id-sign-in.ts';
import type { SignIn, SignInHost, SignInProvider } from '../../../src/session/sign-in.ts';
import { openStore, type Store } from '../../../src/store/open-store.ts';
import { masterKeyFrom } from '../../../src/vault/master-key.ts';
import { openVault } from '../../../src/vault/open-vault.ts';

/** A gateway that only signs in: the routes, on a real store, with a session room that writes down what it is told. */
export interface SignInBench extends AsyncDisposable {
  readonly publicUrl: string;
  readonly store: Store;
  readonly signIn: SignInProvider;
  readonly sessions: SignIn[];
  readonly ended: { readonly which: Parameters<SignInHost['endSessions']>[0]; readonly reason: string }[];
  readonly refused: { readonly issuer: string; readonly reason: string }[];
  /** What answers were made of, causes and all: what a log would show. */
  readonly errors: unknown[];
  /** Makes ending sessions fail, until it is undefined again. */
  failure: Error | undefined;
}

/** An address that is free, and known before anybody listens there: providers are told it first. */
export async function reserveOrigin(): Promise<{
  readonly publicUrl: string;
  readonly server: ReturnType<typeof createServer>;
}> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { publicUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

export async function startSignInBench(
  { publicUrl, server }: Awaited<ReturnType<typeof reserveOrigin>>,
  providers: readonly ProviderSettings[],
  { clock = systemClock, badTriesMax = 1_000 }: { readonly clock?: Clock; readonly badTriesMax?: number } = {},
): Promise<SignInBench> {
  const directory = mkdtempSync(join(tmpdir(), 'sign-in-'));
  const store = await openStore({ file: join(directory, 'store.db') });
  for (const slug of ['warehouse', 'stores']) {
    await store.teams.add({ id: `team_${slug}`, slug, name: slug, createdAt: 1, sealedDataKey: new Uint8Array() });
  }
  const badTries = new BadTries(clock, badTriesMax);
  const sessions: SignIn[] = [];
  const ended: SignInBench['ended'] = [];
  const refused: SignInBench['refused'] = [];
  const errors: unknown[] = [];
  const bench: Pick<SignInBench, 'failure'> = { failure: undefined };
  const host: SignInHost = {
    async startSession(_req, res, signIn) {
      if (signIn.person.disabledAt !== undefined) throw new GatewayError('forbidden', 'kept out');
      sessions.push(signIn);
      res.append('Set-Cookie', `session=${sessions.length}; Path=/; HttpOnly`);
    },
    async endSessions(which, reason) {
      if (bench.failure !== undefined) throw bench.failure;
      ended.push({ which, reason });
      return 1;
    },
    noteRefused(req, { issuer, reason }) {
      refused.push({ issuer, reason });
      badTries.noteBad(req.socket.remoteAddress ?? '');
    },
  };
  let made = 0;
  const openId = openIdSignIn({
    publicUrl,
    providers,
    people: store.people,
    teams: store.teams,
    vault: openVault({ masterKey: masterKeyFrom(randomBytes(32), 'of the test') }),
    clock,
    newPersonId: () => `per_${++made}`,
  });
  const signIn = openId.serve(host);
  const app = express();
  app.use(signIn.routes());
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    errors.push(error);
    answerError(res, error);
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => app(req as Request, res as Response));
  return Object.assign(bench, {
    publicUrl,
    store,
    signIn,
    sessions,
    ended,
    refused,
    errors,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await openId[Symbol.asyncDispose]();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  });
}
