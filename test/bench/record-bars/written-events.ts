import type { OutcomeEvent } from '../../../src/domain/event.ts';

/** Values that few events have, to be asked for; each is in {@link RARE_EACH}-th part of the events. */
export const RARE = {
  team: 'team_rare',
  app: 'app_rare',
  tokenId: 'tok_rare',
  person: 'per_rare',
  operation: 'device.rare',
  effect: 'destructive',
  device: 'SERIAL-RARE',
  group: 'GROUP-RARE',
  status: 418,
  errorSource: 'gateway',
  keyFingerprint: 'beef00beef00beef',
  kind: 'refused',
} as const;

export const RARE_EACH = 250_000;
/** Not the newest ones, where everything would be found at once. */
const RARE_AT = 7;

/** What a typical call leaves: all fields, one attempt, one target in four, an error of Mason's in fifty. */
export function writtenEvent(n: number, at: number): OutcomeEvent {
  const isRare = n % RARE_EACH === RARE_AT;
  const isError = n % 50 === 0;
  const requestId = uuidAt(at, n);
  const person = {
    kind: 'person',
    personId: isRare ? RARE.person : `per_${n % 30}`,
    person: `Person ${n % 30}`,
  } as const;
  const app = {
    kind: 'app',
    appId: isRare ? RARE.app : `app_${n % 50}`,
    app: isRare ? RARE.app : `frontend-${n % 50}`,
    tokenId: isRare ? RARE.tokenId : `tok_${n % 80}`,
  } as const;
  const kind = n % 8 === 0 ? 'group' : 'device';
  return {
    kind: isRare ? RARE.kind : 'outcome',
    requestId,
    at,
    actor: {
      ...(n % 5 === 0 ? person : app),
      ...(isRare ? { ...app, personId: RARE.person } : {}),
      address: '10.20.30.40',
    },
    teamId: isRare ? RARE.team : `team_${n % 7}`,
    team: isRare ? RARE.team : `crew-${n % 7}`,
    method: 'GET',
    path: '/v1/default/device',
    operation: isRare ? RARE.operation : `device.list${n % 12}`,
    effect: isRare ? RARE.effect : n % 10 === 0 ? 'change' : 'read',
    ...(isRare
      ? {
          targets: [
            { kind: 'device', name: RARE.device },
            { kind: 'group', name: RARE.group },
          ] as const,
        }
      : n % 4 === 0
        ? { targets: [{ kind, name: `SERIAL-${n % 500}` }] as const }
        : {}),
    keyFingerprint: isRare ? RARE.keyFingerprint : 'c0ffee00c0ffee00',
    result: 'answered',
    status: isRare ? RARE.status : isError ? 404 : 200,
    ...(isRare ? { errorSource: RARE.errorSource } : isError ? { errorSource: 'mason' } : {}),
    attempts: [{ startMs: 1.234, durationMs: 48.9, status: 200 }],
    queueMs: 1.1,
    masonMs: 48.9,
    gatewayMs: 0.6,
    bytesIn: 0,
    bytesOut: 5120,
  };
}

/** As UUIDv7 (RFC 9562) has the time. */
function uuidAt(at: number, n: number): string {
  const time = at.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}
