import type { AdminEvent, IntentEvent, OutcomeEvent } from '../../src/domain/event.ts';

/** A change about to be sent. */
export function sampleIntent(fields: Partial<IntentEvent> = {}): IntentEvent {
  return {
    kind: 'intent',
    requestId: 'request-1',
    at: 1_790_000_000_000,
    actor: { kind: 'app', appId: 'app_1', app: 'kiosk', tokenId: 'tok_1', address: '192.0.2.7' },
    teamId: 'team_1',
    team: 'ops',
    method: 'POST',
    path: '/v1/default/device/reboot',
    operation: 'device.reboot',
    effect: 'disruptive',
    targets: [{ kind: 'device', name: 'SERIAL-1' }],
    keyFingerprint: 'c0ffee',
    ...fields,
  };
}

/** A read that was answered. */
export function sampleOutcome(fields: Partial<OutcomeEvent> = {}): OutcomeEvent {
  return {
    kind: 'outcome',
    requestId: 'request-1',
    at: 1_790_000_000_000,
    actor: { kind: 'app', appId: 'app_1', app: 'kiosk', tokenId: 'tok_1' },
    teamId: 'team_1',
    team: 'ops',
    method: 'GET',
    path: '/v1/default/device',
    operation: 'device.list',
    effect: 'read',
    result: 'answered',
    status: 200,
    attempts: [{ startMs: 1.25, durationMs: 40, status: 200 }],
    queueMs: 1,
    masonMs: 40,
    gatewayMs: 0.5,
    bytesIn: 0,
    bytesOut: 512,
    ...fields,
  };
}

export function sampleAct(fields: Partial<AdminEvent> = {}): AdminEvent {
  return {
    kind: 'admin',
    requestId: 'request-1',
    at: 1_790_000_000_000,
    actor: { kind: 'operator', account: 'root' },
    act: 'team.add',
    details: { team: 'ops' },
    result: 'done',
    ...fields,
  };
}
