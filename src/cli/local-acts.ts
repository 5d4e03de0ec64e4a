import { type Administrator, OPERATES } from '../domain/authority.ts';
import type { Actor } from '../domain/event.ts';
import { errorAnswer } from '../http/errors.ts';
import type { Act } from '../manage/act.ts';
import type { Acts } from '../manage/acts.ts';
import type { ActClient } from './act-client.ts';
import { CliError } from './cli-error.ts';

/** Acts on a store that this process opened itself, because no gateway is running. */
export function localActs(opened: { acts: Acts; close(): Promise<void> }, actor: Actor): ActClient {
  const by: Administrator = { actor, authority: OPERATES };
  return {
    async perform(name, input = {}) {
      // The lists of acts and their answers go together; TypeScript cannot follow that through a name that varies.
      const act: Act<unknown> = opened.acts[name];
      try {
        return (await act(by, input)) as never;
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
