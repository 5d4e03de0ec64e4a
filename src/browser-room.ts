import type { BlockList } from 'node:net';
import { whoAmI } from './admin/who-am-i.ts';
import type { KeyHealth } from './call/key-health.ts';
import type { OpenCalls } from './call/open-calls.ts';
import { teamStatus } from './call/team-status.ts';
import type { Verdicts } from './call/verdicts.ts';
import type { Config } from './config/config.ts';
import { readSecretFile } from './config/read-secret-file.ts';
import type { Core, CoreOptions } from './core.ts';
import { systemClock } from './domain/clock.ts';
import { GatewayError } from './domain/errors.ts';
import type { BadTries } from './http/bad-tries.ts';
import { peerAddress } from './http/peer-address.ts';
import { newId } from './manage/new-id.ts';
import type { OpenIdSignIn } from './session/oidc/open-id-sign-in.ts';
import { openSessionRoom, type SessionRoom } from './session/open-session-room.ts';
import { openSessionSecrets } from './session/session-secrets.ts';

export interface BrowserRoomParts {
  readonly core: Core;
  readonly verdicts: Verdicts;
  readonly calls: OpenCalls;
  readonly keyHealth: KeyHealth;
  readonly tries: BadTries;
  readonly trustedProxies: BlockList | undefined;
  readonly log: CoreOptions['log'];
}

/**
 * Opens the room of people and their browsers, and lets the end of a session end its calls.
 *
 * @throws Error with one clear line: a file of cookie secrets that is not as it must be
 */
export async function openBrowserRoom(config: Config, parts: BrowserRoomParts): Promise<SessionRoom> {
  const { core, verdicts, calls, keyHealth, tries, trustedProxies, log } = parts;
  const { store, vault, record } = core;
  const { cookie, secretFile, idleMs, absoluteMs, perPersonMax } = config.sessions;
  const statusOf = (teamId: string, share: { id: string; weight: number }) =>
    teamStatus({ keys: store.keys, budgets: store.budgets, keyHealth, laneOf: core.laneOf }, teamId, share);
  await using stack = new AsyncDisposableStack();
  const openId = stack.use(await openIdSignInFor(config, core));
  const room = openSessionRoom({
    clock: systemClock,
    sessions: store.sessions,
    links: store.links,
    people: store.people,
    seal: vault,
    record,
    tries,
    secrets: openSessionSecrets(secretFile, config.masterKey),
    publicUrl: config.listen.publicUrl,
    sameSite: cookie.sameSite,
    trustedProxies,
    frontends: config.frontends,
    idleMs,
    absoluteMs,
    perPersonMax,
    person: async (id) => verdicts.person(id),
    teamSlugs: async () => verdicts.teamSlugs(),
    teamStatus: statusOf,
    inUse: () => calls.sessionsInUse(),
    whoAmI: whoAmI({
      verdicts,
      clock: systemClock,
      tries,
      addressOf: (req) => peerAddress(req, trustedProxies),
      teamStatus: statusOf,
    }),
    newId,
    signIn: openId?.serve,
    onBug: (error, requestId) => log.error({ requestId, err: error }, 'a bug: please report it'),
  });
  stack.use(room);
  room.browsers.onEnded((digest) =>
    calls.abortBy(digest, new GatewayError('unauthenticated', 'the session has ended')),
  );
  core.doors.endSessions = (which) => room.browsers.end(which);
  const rest = stack.move();
  return { ...room, [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose]() };
}

/** Loaded only where a provider is configured: its libraries cost a start time and memory. */
async function openIdSignInFor(config: Config, { store, vault }: Core): Promise<OpenIdSignIn | undefined> {
  const { providers } = config.signIn;
  const { publicUrl } = config.listen;
  // The configuration refuses providers without a public address.
  if (providers.length === 0 || publicUrl === undefined) return undefined;
  const { openIdSignIn } = await import('./session/oidc/open-id-sign-in.ts');
  return openIdSignIn({
    publicUrl,
    providers: providers.map(({ clientSecretFile, ...provider }, index) => ({
      ...provider,
      clientSecret:
        clientSecretFile === undefined
          ? undefined
          : readSecretFile(`signIn.providers.${index}.clientSecretFile`, clientSecretFile),
    })),
    people: store.people,
    teams: store.teams,
    vault,
    clock: systemClock,
    newPersonId: () => newId('per'),
  });
}
