import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';
import { GatewayError } from '../../domain/errors.ts';
import { signInUnavailable } from './bounded-fetch.ts';
import { causesOf, reasonOf } from './reason-of.ts';

/** Error codes have this form (RFC 6749 section 4.1.2.1); what has another is not repeated anywhere. */
const ERROR_CODE = /^[a-z_]{1,40}$/;

/** Why a sign-in that came back from its provider led nowhere. */
export interface Refusal {
  readonly error: GatewayError;
  /** For the record. */
  readonly reason: string;
}

/**
 * What to tell of an error that openid-client or jose threw: nothing that came with the request reaches the answer, and
 * nothing that came from the provider but its error code reaches the record.
 */
export function refusalOf(error: unknown): Refusal {
  const told = causesOf(error).find((cause) => cause instanceof GatewayError);
  if (told !== undefined) return { error: told, reason: told.message };
  if (error instanceof AuthorizationResponseError) {
    return refusal('the identity provider did not sign you in', `the provider answered ${codeOf(error)}`);
  }
  if (error instanceof ResponseBodyError && error.error !== 'invalid_grant') {
    // Not the visitor's doing: the provider and this gateway do not agree about the client.
    const reason = `the provider's token endpoint answered ${codeOf(error)}`;
    return { error: signInUnavailable(new Error(reason)), reason };
  }
  return refusal(
    "the identity provider's answer is not the answer to this sign-in: start again at /auth/login",
    reasonOf(error),
  );
}

function codeOf({ error }: { error: string }): string {
  return ERROR_CODE.test(error) ? error : 'an error';
}

function refusal(message: string, reason: string): Refusal {
  return { error: new GatewayError('invalid_request', message, { cause: new Error(reason) }), reason };
}
