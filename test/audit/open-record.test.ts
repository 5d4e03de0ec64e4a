import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openRecord as open, type RecordOptions } from '../../src/audit/open-record.ts';
import { QueryClient } from '../../src/audit/segments/query-client.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { AuditRecord } from '../../src/domain/record.ts';
import { recordContract } from '../contracts/record-contract.ts';
import { readChains } from './read-chain.ts';
import { sampleAct, sampleIntent, sampleOutcome } from './sample-events.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

const opened: AuditRecord[] = [];

// A test that failed would leave threads behind, and jest waiting for them.
afterEach(() => Promise.all(opened.splice(0).map((record) => record.close())));

async function openRecord(from: RecordOptions): Promise<AuditRecord> {
  const record = await open(from);
  opened.push(record);
  return record;
}

function options(directory: string, more: Partial<RecordOptions> = {}): RecordOptions {
  return {
    directory,
    gatewayId: 'gw-1',
    clock: systemClock,
    intentMsMax: 10_000,
    lagEventsMax: 10_000,
    lagBytesMax: 10_000_000,
    ...more,
  };
}

recordContract('the record in segment files', () => {
  const scratch = scratchDirectory();
  return {
    open: () => openRecord(options(join(scratch.path, 'audit'))),
    remove: async () => scratch[Symbol.dispose](),
  };
});

function isSealed(directory: string, name: string): boolean {
  return (statSync(join(directory, name)).mode & 0o777) === 0o440;
}

describe('segments', () => {
  test('digests and links can be computed again from the stored bytes, over all segments of a run', async () => {
    using scratch = scratchDirectory();
    const record = await openRecord(options(scratch.path, { segmentEventsMax: 10, flushMsMax: 1 }));
    for (let n = 0; n < 60; n += 1) {
      record.append(sampleOutcome({ requestId: `read ${n}` }));
      if (n % 3 === 0) await record.intend(sampleIntent({ requestId: `change ${n}` }));
    }
    await record.close();
    const [chain, ...others] = readChains(scratch.path);
    expect(others).toEqual([]);
    expect(chain?.faults).toEqual([]);
    expect(chain?.events).toHaveLength(60 + 20 + 2);
    expect(chain?.events.at(0)).toMatchObject({ act: 'gateway.start' });
    expect(chain?.events.at(-1)).toMatchObject({ act: 'gateway.stop' });
    expect(readdirSync(scratch.path).filter((name) => name.endsWith('.db')).length).toBeGreaterThan(2);
  });

  test('a complete segment is sealed: indexed, read-only, one file; the open one is for its writer alone', async () => {
    using scratch = scratchDirectory();
    const record = await openRecord(options(scratch.path, { segmentEventsMax: 20 }));
    for (let n = 0; n < 30; n += 1) await record.intend(sampleIntent({ requestId: String(n) }));
    const first = readdirSync(scratch.path).find((name) => name.endsWith('-1.db')) ?? '';
    await until(() => isSealed(scratch.path, first), 'the first segment is sealed');
    expect(readdirSync(scratch.path).filter((name) => name.startsWith(`${first}-`))).toEqual([]);
    expect(statSync(join(scratch.path, first.replace('-1', '-2'))).mode & 0o777).toBe(0o640);
    const found = await record.query({ device: 'SERIAL-1', team: 'ops' }, { limit: 100 });
    expect(found.events.map(({ event }) => event['requestId'])).toEqual(
      Array.from({ length: 30 }, (_, n) => String(29 - n)),
    );
    await record.close();
  });

  test('a segment is complete when it is old', async () => {
    using scratch = scratchDirectory();
    const record = await openRecord(options(scratch.path, { segmentAgeMsMax: 1 }));
    await record.intend(sampleIntent());
    await until(() => readdirSync(scratch.path).some((name) => name.endsWith('-2.db')), 'there is a second segment');
    await record.close();
  });

  test('what an earlier run left open is read, and sealed by the next run', async () => {
    using scratch = scratchDirectory();
    const earlier = await openRecord(options(scratch.path, { gatewayId: 'gw-2' }));
    await earlier.intend(sampleIntent({ requestId: 'earlier' }));
    await earlier.close();
    const [left = ''] = readdirSync(scratch.path);
    expect(isSealed(scratch.path, left)).toBe(false);
    const reader = new QueryClient(scratch.path);
    expect((await reader.query({ requestId: 'earlier' }, { limit: 5 })).events).toHaveLength(1);
    await reader.close();
    const next = await openRecord(options(scratch.path));
    await until(() => isSealed(scratch.path, left), 'the earlier segment is sealed');
    expect((await next.query({ requestId: 'earlier' }, { limit: 5 })).events).toHaveLength(1);
    await next.close();
  });

  test('gateways share a directory, each with its own chain, and read each other', async () => {
    using scratch = scratchDirectory();
    const one = await openRecord(options(scratch.path, { gatewayId: 'gw-1', segmentEventsMax: 5 }));
    const two = await openRecord(options(scratch.path, { gatewayId: 'gw-2', segmentEventsMax: 5 }));
    for (let n = 0; n < 20; n += 1)
      await (n % 2 === 0 ? one : two).intend(sampleIntent({ requestId: String(n), at: 1000 + n }));
    const found = await one.query({ team: 'ops' }, { limit: 100 });
    expect(found.events.map(({ event }) => event['requestId'])).toEqual(
      Array.from({ length: 20 }, (_, n) => String(19 - n)),
    );
    await Promise.all([one.close(), two.close()]);
    const chains = readChains(scratch.path);
    expect(chains.map(({ chain }) => chain.slice(0, 5)).sort()).toEqual(['gw-1/', 'gw-2/']);
    expect(chains.flatMap(({ faults }) => faults)).toEqual([]);
    // Neither is a successor of the other.
    expect(chains.map(({ events }) => Object.keys(events[0]?.['details'] ?? {}))).toEqual([['chain'], ['chain']]);
  });

  test('an edited event, also in a sealed file, is found by who computes the chain again', async () => {
    using scratch = scratchDirectory();
    const record = await openRecord(options(scratch.path));
    await record.intend(sampleIntent());
    await record.close();
    const [name = ''] = readdirSync(scratch.path);
    chmodSync(join(scratch.path, name), 0o640);
    const { DatabaseSync } = await import('node:sqlite');
    using db = new DatabaseSync(join(scratch.path, name));
    db.exec("UPDATE event SET line = replace(line, 'ops', 'dev') WHERE seq = 2");
    db.close();
    expect(readChains(scratch.path)[0]?.faults).toEqual([
      'event 2 was edited',
      'link of batch 2 differs',
      'link of batch 3 differs',
    ]);
  });

  test('a token never gets into a file, in whatever field it was', async () => {
    using scratch = scratchDirectory();
    const token = 'mgw_0123456789abcdefghijABCDEFGHIJ0f3Kz9';
    const record = await openRecord(options(scratch.path));
    await record.intend(
      sampleIntent({
        requestId: token,
        actor: { kind: 'app', appId: token, app: token, tokenId: token, address: token },
        teamId: token,
        team: token,
        path: `/${'x'.repeat(1000)}${token}`,
        operation: token,
        targets: [{ kind: 'device', name: token }],
        keyFingerprint: token,
        callerRequestId: token,
      }),
    );
    await record.intend(
      sampleAct({ act: token, details: { [token]: token, note: `it is ${token}` }, errorCode: token }),
    );
    const read = (): string =>
      readdirSync(scratch.path)
        .map((name) => readFileSync(join(scratch.path, name), 'latin1'))
        .join('');
    const whileOpen = read();
    await record.close();
    expect(whileOpen).toContain('mgw_*');
    for (const text of [whileOpen, read()]) expect(text).not.toContain('0123456789abc');
  });
});
