import type { Actor } from '../domain/event.ts';
import { errorAnswer } from '../http/errors.ts';
import type { Acts } from '../manage/acts.ts';
import type { ActClient } from './act-client.ts';
import { CliError } from './cli-error.ts';

/** Acts on a store that this process opened itself, because no gateway is running. */
export function localActs(opened: { acts: Acts; close(): Promise<void> }, by: Actor): ActClient {
  return {
    async perform(name, input = {}) {
      // The lists of acts and their answers go together; TypeScript cannot follow that through a name that varies.
      const act = opened.acts[name] as (by: Actor, input: unknown) => Promise<never>;
      try {
        return await act(by, input);
      } catch (error) {
        const { status, type, message, code } = errorAnswer(error);
        // Of a bug, whoever sits at the machine may see all.
        if (code === 'internal' && Error.isError(error)) throw new CliError('failed', type, error.message, error);
        throw new CliError(status === 400 ? 'usage' : 'failed', type, message, error);
      }
    },
    [Symbol.asyncDispose]: () => opened.close(),
  };
}
