/** A failure that the command line tells in one line. `usage`: typed wrongly, exit code 2; `failed`: refused or broken, 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly kind: 'usage' | 'failed';
  /** As in the API's errors: `not_found_error`. */
  readonly type: string;

  constructor(kind: 'usage' | 'failed', type: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.type = type;
  }
}

/** The gateway does not answer now, and may answer the same later: it was stopped, or is about to. */
export class AwayError extends CliError {
  constructor(message: string, cause?: unknown) {
    super('failed', 'api_error', message, cause);
  }
}

export function usageError(message: string): CliError {
  return new CliError('usage', 'invalid_request_error', message);
}
