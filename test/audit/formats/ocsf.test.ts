import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ocsfEvent } from '../../../src/audit/formats/ocsf.ts';
import type { OutcomeEvent, RecordEvent } from '../../../src/domain/event.ts';
import { sampleAct, sampleIntent, sampleOutcome } from '../sample-events.ts';
import { API_ACTIVITY } from './ocsf-schema.ts';
import { asText, exported } from './told.ts';

const docs = readFileSync(new URL('../../../docs/ocsf.md', import.meta.url), 'utf8');

function told(event: RecordEvent): Record<string, unknown> {
  const text = asText(ocsfEvent(exported(event)));
  expect(text.endsWith('\n')).toBe(true);
  expect(text.indexOf('\n')).toBe(text.length - 1);
  return JSON.parse(text);
}

const actors: RecordEvent['actor'][] = [
  { kind: 'app', appId: 'app_1', app: 'kiosk', tokenId: 'tok_1', address: '192.0.2.7' },
  { kind: 'person', personId: 'per_1', sessionId: 'ses_1', address: '2001:db8::7' },
  { kind: 'operator', account: 'root' },
  { kind: 'gateway' },
  { kind: 'unknown', address: '192.0.2.9' },
  { kind: 'unknown' },
];

const someEvent: fc.Arbitrary<RecordEvent> = fc.oneof(
  fc
    .record({
      actor: fc.constantFrom(...actors),
      kind: fc.constantFrom<OutcomeEvent['kind'][]>('outcome', 'refused'),
      result: fc.constantFrom<OutcomeEvent['result'][]>('answered', 'not_sent', 'unknown', 'failed', 'aborted'),
      status: fc.constantFrom(200, 404, 429, 499, 504),
      method: fc.constantFrom('GET', 'POST', 'DELETE', 'TRACE'),
      operation: fc.constantFrom(undefined, 'device.list', 'group.create', 'device.reboot', 'constructor'),
      effect: fc.constantFrom(undefined, 'read' as const, 'destructive' as const),
      path: fc.string({ unit: 'binary', maxLength: 30 }).map((path) => `/${path}`),
      errorCode: fc.constantFrom(undefined, 'mason_timeout'),
      callerRequestId: fc.constantFrom(undefined, 'theirs-\u2028-1'),
      stream: fc.constantFrom(undefined, { openMs: 12.5, closedBy: 'caller' as const, closeCode: 1000 }),
    })
    .map(sampleOutcome),
  fc.record({ actor: fc.constantFrom(...actors) }).map(sampleIntent),
  fc
    .record({
      actor: fc.constantFrom(...actors),
      act: fc.constantFrom('team.add', 'gateway.gap', 'audit.query', 'sign_in.refused', 'apply'),
      result: fc.constantFrom('intended' as const, 'done' as const, 'failed' as const),
    })
    .map(sampleAct),
);

describe('the record as OCSF API Activity', () => {
  test('whatever the event, it is what the schema asks for', () => {
    fc.assert(
      fc.property(someEvent, (event) => {
        expect(API_ACTIVITY.safeParse(told(event)).error?.issues ?? []).toEqual([]);
      }),
      { numRuns: 200 },
    );
    const { line: _, ...left } = exported(sampleOutcome());
    const erased = JSON.parse(ocsfEvent({ ...left, line: undefined, targets: [] }));
    expect(API_ACTIVITY.safeParse(erased).success).toBe(true);
    expect(erased).toMatchObject({ unmapped: { isErased: true } });
  });

  test.each<[string, RecordEvent, object]>([
    ['a read', sampleOutcome(), { activity_id: 2, status_id: 1, status_code: '200', severity_id: 1, duration: 42 }],
    ['a change that is about to be sent', sampleIntent(), { activity_id: 99, type_uid: 600399, status_id: 0 }],
    [
      'a change of which nobody knows',
      sampleOutcome({ method: 'DELETE', effect: 'change', operation: 'group.delete', result: 'unknown', status: 504 }),
      { activity_id: 4, status_id: 0, severity_id: 3 },
    ],
    [
      'a refusal',
      sampleOutcome({ kind: 'refused', result: 'not_sent', status: 403, errorCode: 'forbidden' }),
      { status_id: 2, severity_id: 2, status_detail: 'forbidden' },
    ],
    [
      "Mason's no",
      sampleOutcome({ status: 404, errorSource: 'mason' }),
      { status_id: 2, unmapped: { errorSource: 'mason' } },
    ],
    ['a gap', sampleAct({ act: 'gateway.gap', actor: { kind: 'gateway' } }), { severity_id: 4 }],
    [
      'an act of an operator',
      sampleAct(),
      {
        activity_id: 1,
        api: { operation: 'team.add', service: { name: 'mason-gateway' } },
        src_endpoint: { name: 'gateway' },
        actor: { user: { name: 'root', type_id: 2 } },
      },
    ],
  ])('%s', (_, event, expected) => {
    expect(told(event)).toMatchObject(expected);
  });

  test('each attribute is in the published table, and the table has no other', () => {
    const paths = new Set<string>();
    for (const event of fc.sample(someEvent, { numRuns: 400, seed: 1 })) collect(told(event), '', paths);
    const rows = [...docs.matchAll(/^\| (`.*?) \|/gm)].map(([, names]) => names as string);
    const named = rows.flatMap((names) => [...names.matchAll(/`([\w.]+)`/g)].map(([, name]) => name as string));
    expect([...paths].toSorted()).toEqual(named.toSorted());
    const unmapped = rows.find((names) => names === '`unmapped`');
    expect(unmapped).toBeDefined();
    for (const event of fc.sample(someEvent, { numRuns: 50, seed: 1 })) {
      for (const name of Object.keys(Object(told(event)['unmapped']))) expect(docs).toContain(`\`${name}\``);
    }
  });
});

function collect(value: unknown, path: string, into: Set<string>): void {
  if (Array.isArray(value) && typeof value[0] === 'object') {
    for (const each of value) collect(each, path, into);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && path !== 'unmapped') {
    for (const [name, each] of Object.entries(value)) collect(each, path === '' ? name : `${path}.${name}`, into);
  } else {
    into.add(path);
  }
}
