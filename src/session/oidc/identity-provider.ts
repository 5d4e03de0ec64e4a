import { createRemoteJWKSet, type JWTPayload, type JWTVerifyOptions, customFetch as jwksFetch, jwtVerify } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  None,
} from 'openid-client';
import type { Clock } from '../../domain/clock.ts';
import type { Secret } from '../../domain/secret.ts';
import { type ProviderFetch, signInUnavailable } from './bounded-fetch.ts';
import type { RoleRule } from './grants-for.ts';

/** How long metadata is believed, and how long a failure to get it. */
const KNOWN_MS = 600_000;
const FAILED_MS = 5_000;
/** At most one look for new keys in this time, however many tokens name keys that nobody knows. */
const KEYS_AGAIN_MS = 1_000;
/** By how much the provider's clock may differ. */
const CLOCK_TOLERANCE_S = 30;

/** Signed with a key that only the provider has. Never `none`, and never HMAC: its key would be one that others know too. */
const ALGORITHMS = new Set('RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' '));

/** An identity provider as it is configured. */
export interface ProviderSettings {
  /** Names it in `/auth/login?provider=`. */
  readonly id: string;
  /** For people who choose between several. */
  readonly name?: string | undefined;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client; PKCE alone protects its codes. */
  readonly clientSecret?: Secret | undefined;
  readonly scopes: readonly string[];
  readonly rules: readonly RoleRule[];
}

/** What a sign-in under way must match when it comes back. */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  /** PKCE's code verifier (RFC 7636). */
  readonly verifier: string;
}

interface Known {
  readonly config: Configuration;
  readonly issuer: string;
  readonly hasEndSession: boolean;
  readonly keys: ReturnType<typeof createRemoteJWKSet>;
  readonly algorithms: string[];
}

/**
 * One identity provider, as an OpenID Connect client sees it. Nothing is asked of it before somebody signs in, and what it
 * says of itself is asked for again after ten minutes; while it does not answer, everything here but
 * {@link endSessionUrl} throws GatewayError `sign_in_unavailable`.
 */
export class IdentityProvider {
  readonly settings: ProviderSettings;
  readonly #fetch: ProviderFetch;
  readonly #clock: Clock;
  #known: Promise<Known> | undefined;
  #knownUntil = 0;

  constructor(settings: ProviderSettings, fetch: ProviderFetch, clock: Clock) {
    this.settings = settings;
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** Where the browser goes to sign in, with the code flow and PKCE S256 (RFC 9700 section 2.1.1). */
  async authorizationUrl(redirectUri: string, { state, nonce, verifier }: Challenge): Promise<string> {
    const { config } = await this.#discovered();
    // What offline_access would bring, a refresh token, outlives the session.
    const scopes = new Set(['openid', ...this.settings.scopes]).difference(new Set(['offline_access']));
    return buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: [...scopes].join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).href;
  }

  /**
   * Turns what came back into who it is: checks state, `iss` (RFC 9207), nonce and the ID token with its signature.
   *
   * @param callback the redirect URI with the query that came
   * @throws whatever openid-client and jose throw; see `refusalOf`
   */
  async redeem(callback: URL, { state, nonce, verifier }: Challenge): Promise<JWTPayload> {
    const { config } = await this.#discovered();
    const tokens = await authorizationCodeGrant(config, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    // openid-client trusts the connection for the signature (OpenID Connect Core section 3.1.3.7); this does not.
    return this.verify(tokens.id_token ?? '', {});
  }

  /**
   * The claims of a token that this provider signed for this client, and that holds now.
   *
   * @throws JOSEError when it is not one
   */
  async verify(token: string, rules: JWTVerifyOptions): Promise<JWTPayload> {
    const { issuer, keys, algorithms } = await this.#discovered();
    const { payload } = await jwtVerify(token, keys, {
      ...rules,
      issuer,
      audience: this.settings.clientId,
      algorithms,
      clockTolerance: CLOCK_TOLERANCE_S,
    });
    return payload;
  }

  /** Whether this is the issuer, as the provider writes itself: with or without a slash that the settings have or lack. */
  isIssuer(issuer: string): boolean {
    return URL.canParse(issuer) && new URL(issuer).href === new URL(this.settings.issuer).href;
  }

  /**
   * Where a browser ends the provider's own session (RP-Initiated Logout 1.0); undefined when it has no such place, or does not
   * answer. Names the client instead of giving the ID token as a hint: a token in a URL stays in histories and logs.
   */
  async endSessionUrl(backTo: string): Promise<string | undefined> {
    const known = await this.#discovered().catch(() => undefined);
    if (known?.hasEndSession !== true) return undefined;
    return buildEndSessionUrl(known.config, { post_logout_redirect_uri: backTo }).href;
  }

  #discovered(): Promise<Known> {
    if (this.#known === undefined || this.#clock.now() >= this.#knownUntil) {
      // Whoever comes while it is being asked waits for the same answer.
      this.#knownUntil = Number.POSITIVE_INFINITY;
      this.#known = this.#discover();
    }
    return this.#known;
  }

  async #discover(): Promise<Known> {
    const issuer = new URL(this.settings.issuer);
    try {
      const config = await discovery(issuer, this.settings.clientId, undefined, authentication(this.settings), {
        [customFetch]: this.#fetch,
        execute: issuer.protocol === 'http:' ? [allowInsecureRequests] : [],
      });
      const metadata = config.serverMetadata();
      const known = {
        config,
        issuer: metadata.issuer,
        hasEndSession: metadata.end_session_endpoint !== undefined,
        keys: createRemoteJWKSet(new URL(metadata.jwks_uri ?? ''), {
          [jwksFetch]: this.#fetch,
          cooldownDuration: KEYS_AGAIN_MS,
        }),
        algorithms: (metadata.id_token_signing_alg_values_supported ?? ['RS256']).filter((name) =>
          ALGORITHMS.has(name),
        ),
      };
      this.#knownUntil = this.#clock.now() + KNOWN_MS;
      return known;
    } catch (cause) {
      this.#knownUntil = this.#clock.now() + FAILED_MS;
      throw signInUnavailable(cause);
    }
  }
}

/** How the client proves itself: in the header, which every provider must take (RFC 6749 section 2.3.1), unless it says otherwise. */
function authentication({ clientSecret }: ProviderSettings): ClientAuth {
  if (clientSecret === undefined) return None();
  const inHeader = ClientSecretBasic(clientSecret.reveal());
  const inBody = ClientSecretPost(clientSecret.reveal());
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const how = methods.includes('client_secret_post') && !methods.includes('client_secret_basic') ? inBody : inHeader;
    how(server, ...rest);
  };
}
