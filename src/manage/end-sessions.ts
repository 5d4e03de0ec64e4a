/**
 * Ends browser sessions, with the calls that they have under way, before it settles.
 *
 * @param reason for the record
 * @returns how many ended
 * @throws GatewayError `store_unavailable`
 */
export type EndSessions = (
  which: { readonly id: string } | { readonly personId: string },
  reason: string,
) => Promise<number>;
