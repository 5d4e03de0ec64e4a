import type { Request } from 'express';
import { type Administrator, OPERATES } from '../domain/authority.ts';
import { ACCOUNT_HEADER } from './routes.ts';

/** Who asks for an act. */
export interface Asker {
  readonly by: Administrator;
  /** The query with its leading `?`, without what proved who asks. */
  readonly query: string;
}

/**
 * Finds out who asks: the only thing in which one door differs from another.
 *
 * @param requestId under which a refusal stands on record
 * @throws GatewayError
 */
export type Identify = (req: Request, requestId: string) => Promise<Asker>;

/** On the Unix socket: whoever reaches it is the operator, under the account that they say. Never for a door that others reach. */
export const operatorOnSocket: Identify = async (req) => {
  const account = req.get(ACCOUNT_HEADER);
  const isName = account !== undefined && /^[\w.@+\\-]{1,64}$/.test(account);
  const actor = isName ? { kind: 'operator' as const, account } : { kind: 'operator' as const };
  return { by: { actor, authority: OPERATES }, query: targetOf(req).query };
};

/** Path and query, as they came. */
export function targetOf({ originalUrl }: Pick<Request, 'originalUrl'>): { path: string; query: string } {
  const mark = originalUrl.indexOf('?');
  return mark === -1
    ? { path: originalUrl, query: '' }
    : { path: originalUrl.slice(0, mark), query: originalUrl.slice(mark) };
}
