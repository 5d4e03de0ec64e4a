type Fields = Readonly<Record<string, unknown>>;

/** Account types of OCSF that fit those who act here; a program is "Other", by its name. */
const USER_TYPES: Readonly<Record<string, readonly [id: number, type: string]>> = {
  person: [1, 'User'],
  operator: [2, 'Admin'],
  gateway: [3, 'System'],
  app: [99, 'Program'],
};

/** OCSF's `actor`: who did it, as program, person or account. */
export function ocsfActor(actor: Fields): object {
  const kind = String(actor['kind'] ?? 'unknown');
  const [typeId, type] = USER_TYPES[kind] ?? [0, 'Unknown'];
  const session = { uid: actor['sessionId'] };
  return {
    app_name: actor['app'],
    app_uid: actor['appId'],
    user: {
      name: actor['app'] ?? actor['account'] ?? (actor['personId'] === undefined ? kind : undefined),
      uid: actor['personId'] ?? actor['appId'],
      credential_uid: actor['tokenId'],
      type_id: typeId,
      type,
    },
    session: session.uid === undefined ? undefined : session,
  };
}

/** OCSF's `src_endpoint`: the address, or the machine itself, from where operators and the gateway act. */
export function ocsfSource(actor: Fields): object {
  if (actor['address'] !== undefined) return { ip: actor['address'] };
  const isHere = actor['kind'] === 'operator' || actor['kind'] === 'gateway';
  return { name: isHere ? 'gateway' : 'unknown' };
}
