import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditRecord, RecordFilter, RecordPage } from '../../src/domain/record.ts';
import { sampleAct, sampleIntent, sampleOutcome } from '../audit/sample-events.ts';

/** Where an implementation keeps a record; opened again, it is the same record. */
export interface RecordPlace {
  open(): Promise<AuditRecord>;
  remove(): Promise<void>;
}

const AT = 1_790_000_000_000;
const TOKEN = 'mgw_0123456789abcdefghijABCDEFGHIJ0f3Kz9';

/** What every record keeps, whatever it is stored in. */
export function recordContract(name: string, place: () => RecordPlace): void {
  describe(`${name} keeps the record's contract`, () => {
    let at: RecordPlace;
    let record: AuditRecord;

    beforeEach(async () => {
      at = place();
      record = await at.open();
    });

    afterEach(async () => {
      await record.close();
      await at.remove();
    });

    async function ids(
      filter: RecordFilter,
      page: { limit?: number; before?: string; after?: string } = {},
    ): Promise<string[]> {
      return requestIds(await record.query(filter, { limit: 100, ...page }));
    }

    /** Writes calls `0` to `count - 1`, a second apart; the gateway's own events are of no team. */
    async function writeCalls(count: number): Promise<void> {
      for (let n = 0; n < count; n += 1) await record.intend(sampleIntent({ requestId: String(n), at: AT + n * 1000 }));
    }

    test('an intent that settled can be read', async () => {
      await record.intend(sampleIntent({ requestId: 'mine' }));
      expect(await ids({ requestId: 'mine' })).toEqual(['mine']);
    });

    test('who asks finds what happened just before, whether or not it was already on its way to the disk', async () => {
      for (let n = 0; n < 20; n += 1) {
        record.append(sampleOutcome({ requestId: `read-${n}` }));
        expect(await ids({ requestId: `read-${n}` })).toEqual([`read-${n}`]);
      }
    });

    test('an administrative act is found by its name, as an operation is', async () => {
      await record.intend(sampleAct({ requestId: 'removed', act: 'key.remove' }));
      expect(await ids({ operation: 'key.remove' })).toEqual(['removed']);
    });

    test('an event comes back as it was given, its targets by name', async () => {
      const targets = [
        { kind: 'group', name: 'lobby' },
        { kind: 'device', name: 'B' },
        { kind: 'device', name: 'A' },
      ] as const;
      await record.intend(sampleIntent({ targets }));
      const [stored] = (await record.query({ team: 'ops' }, { limit: 1 })).events;
      const list = [targets[2], targets[1], targets[0]];
      expect(stored?.event).toMatchObject({ ...sampleIntent(), targets: { count: 3, list } });
      expect(stored?.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(stored?.seq).toBeGreaterThan(1);
    });

    test('whatever callers put into names comes back, and is found by them', async () => {
      for (const [n, name] of ['a\0b', '\ud800', 'x\ny', '"\\', '\u202eexe', "'; --", 'ä€😀'].entries()) {
        const targets = [{ kind: 'device', name }] as const;
        const requestId = `${n} ${name}`;
        await record.intend(sampleIntent({ requestId, targets, operation: name, team: name, keyFingerprint: name }));
        for (const filter of [
          { device: name },
          { requestId },
          { operation: name },
          { team: name },
          { keyFingerprint: name },
        ]) {
          const { events } = await record.query(filter, { limit: 5 });
          expect(events.map(({ event }) => event)).toMatchObject([
            { requestId, operation: name, targets: { list: [{ kind: 'device', name }] } },
          ]);
        }
      }
    });

    test('filters hold all at once, teams and apps by id or by name', async () => {
      const other = {
        teamId: 'team_2',
        team: 'shop',
        actor: { kind: 'app', appId: 'app_2', app: 'till', tokenId: 'tok_2' },
      } as const;
      await record.intend(sampleIntent({ requestId: 'a', targets: [{ kind: 'device', name: 'X' }] }));
      await record.intend(sampleOutcome({ requestId: 'b', at: AT + 1000, status: 404 }));
      await record.intend(sampleOutcome({ requestId: 'c', at: AT + 2000, ...other }));
      await record.intend(
        sampleOutcome({
          requestId: 'd',
          at: AT + 3000,
          teamId: undefined,
          team: undefined,
          actor: { kind: 'person', personId: 'per_1' },
          targets: [
            { kind: 'group', name: 'Z' },
            { kind: 'device', name: 'Z' },
          ],
          kind: 'refused',
          operation: 'group.list',
          effect: 'change',
          errorSource: 'gateway',
          keyFingerprint: 'f00d',
        }),
      );
      const found: [RecordFilter, string[]][] = [
        [{ team: 'ops' }, ['b', 'a']],
        [{ team: 'team_2' }, ['c']],
        [{ app: 'till' }, ['c']],
        [{ app: 'app_1' }, ['b', 'a']],
        [{ tokenId: 'tok_2' }, ['c']],
        [{ operation: 'device.reboot' }, ['a']],
        [{ effect: 'read' }, ['c', 'b']],
        [{ device: 'X' }, ['a']],
        [{ device: 'Y' }, []],
        [{ status: 404 }, ['b']],
        [{ requestId: 'c' }, ['c']],
        [{ kind: 'intent' }, ['a']],
        [{ person: 'per_1' }, ['d']],
        [{ person: 'till' }, []],
        [{ errorSource: 'gateway' }, ['d']],
        [{ errorSource: 'mason' }, []],
        [{ keyFingerprint: 'f00d' }, ['d']],
        [{ keyFingerprint: 'c0ffee', team: 'ops' }, ['a']],
        [{ device: 'Z' }, ['d']],
        [{ group: 'Z' }, ['d']],
        [{ group: 'X' }, []],
        [{ device: 'Z', group: 'Z', kind: 'refused' }, ['d']],
        [{ teams: ['team_2', 'team_1', 'shop'] }, ['c', 'b', 'a']],
        [{ teams: [] }, []],
        [{ since: AT + 1000, until: AT + 2000 }, ['b']],
        [{ team: 'ops', effect: 'read', since: AT }, ['b']],
        [{ team: 'ops', app: 'till' }, []],
        [{ team: 'nobody' }, []],
      ];
      for (const [filter, expected] of found)
        expect({ filter, ids: await ids(filter) }).toEqual({ filter, ids: expected });
    });

    test('pages lead from the newest event to the oldest, and back', async () => {
      await writeCalls(7);
      const first = await record.query({ team: 'ops' }, { limit: 3 });
      const second = await record.query({ team: 'ops' }, { limit: 3, after: first.nextPage ?? '' });
      const third = await record.query({ team: 'ops' }, { limit: 3, after: second.nextPage ?? '' });
      expect([first, second, third].map(requestIds)).toEqual([['6', '5', '4'], ['3', '2', '1'], ['0']]);
      expect(third.nextPage).toBeUndefined();
      expect(await ids({ team: 'ops' }, { limit: 3, before: third.prevPage ?? '' })).toEqual(['3', '2', '1']);
      expect(await ids({ team: 'ops' }, { limit: 3, before: second.prevPage ?? '' })).toEqual(['6', '5', '4']);
    });

    test('pages do not move when new events come', async () => {
      await writeCalls(4);
      const first = await record.query({ team: 'ops' }, { limit: 2 });
      await record.intend(sampleIntent({ requestId: 'new', at: AT + 10_000 }));
      expect(await ids({ team: 'ops' }, { limit: 2, after: first.nextPage ?? '' })).toEqual(['1', '0']);
    });

    test('the newest page leads to what came since, each event once, also what is late', async () => {
      await writeCalls(2);
      let page = await record.query({ team: 'ops' }, { limit: 3 });
      // The outcome of a long call may carry the instant at which the call began.
      await record.intend(sampleOutcome({ requestId: 'late', at: AT - 60_000 }));
      for (const n of [10, 11, 12]) await record.intend(sampleIntent({ requestId: String(n), at: AT + n * 1000 }));
      const seen: string[] = [];
      for (let n = 0; n < 4; n += 1) {
        page = await record.query({ team: 'ops' }, { limit: 3, before: page.prevPage ?? '' });
        expect(page.prevPage).toBeDefined();
        seen.push(...requestIds(page));
      }
      expect(seen.sort()).toEqual(['10', '11', '12', 'late']);
    });

    test('a page key that is none of ours, and a bad limit, are refused', async () => {
      for (const key of [
        '',
        'x',
        'WzEsMl0',
        Buffer.from('[1,"a","b"]').toString('base64url'),
        Buffer.from('{}').toString('base64url'),
      ]) {
        await expect(record.query({}, { limit: 1, after: key })).rejects.toMatchObject({ code: 'invalid_request' });
        await expect(record.query({}, { limit: 1, before: key })).rejects.toMatchObject({ code: 'invalid_request' });
      }
      for (const limit of [0, -1, 1.5, 1001, Number.NaN]) {
        await expect(record.query({}, { limit })).rejects.toMatchObject({ code: 'invalid_request' });
      }
    });

    test('a run is framed by its start, which names the head before it, and its stop', async () => {
      await record.intend(sampleIntent());
      await record.close();
      record = await at.open();
      const acts = (await record.query({ kind: 'admin' }, { limit: 10 })).events;
      const details = Object.fromEntries(
        acts.map(({ seq, event }) => [`${String(event['act'])} ${seq}`, event['details']]),
      );
      expect(acts).toHaveLength(3);
      const before = acts.find(({ event }) => event['act'] === 'gateway.stop');
      expect(before?.seq).toBe(3);
      const starts = acts.filter(({ seq }) => seq === 1);
      expect(starts.map(({ event }) => event['act'])).toEqual(['gateway.start', 'gateway.start']);
      expect(starts.find(({ chain }) => chain !== before?.chain)?.event['details']).toMatchObject({
        previousChain: before?.chain,
        previousSeq: 3,
        previousLink: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(details['gateway.stop 3']).toEqual({});
    });

    test('a token never gets into it', async () => {
      await record.intend(sampleIntent({ requestId: 'leak', path: `/v1/${TOKEN}`, callerRequestId: `x ${TOKEN}` }));
      const text = JSON.stringify(await record.query({ requestId: 'leak' }, { limit: 1 }));
      expect(text).toContain('/v1/mgw_*');
      expect(text).not.toContain(TOKEN.slice(0, 12));
    });

    test('all is well, and says so', async () => {
      await record.intend(sampleIntent());
      expect(record.room()).toBeUndefined();
      expect(record.health()).toEqual({ writable: true, gap: 0, lagEvents: 0, lagBytes: 0, problem: undefined });
    });

    test('after its end it refuses', async () => {
      await record.close();
      await expect(record.intend(sampleIntent())).rejects.toMatchObject({ code: 'record_unavailable' });
      record.append(sampleOutcome());
      await record.close();
    });
  });
}

function requestIds(page: RecordPage): string[] {
  return page.events.map(({ event }) => String(event['requestId']));
}
