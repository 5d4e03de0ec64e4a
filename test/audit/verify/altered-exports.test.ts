import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../../src/audit/canonical-json.ts';
import { SegmentArchive } from '../../../src/audit/segments/segment-archive.ts';
import type { Verification } from '../../../src/audit/verify/verify-record.ts';
import type { Signer } from '../../../src/domain/checkpoint.ts';
import { exportText, verifyText } from '../export-text.ts';
import { RUNS_AT, sampleRuns, type WrittenRun } from '../sample-runs.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { plainSigner } from '../signed-record.ts';

const scratch = scratchDirectory('memory');
let signer: Signer;
let runs: readonly [WrittenRun, WrittenRun, WrittenRun];
let whole: string;
let lines: readonly string[];

beforeAll(async () => {
  signer = await plainSigner();
  runs = sampleRuns(scratch.path, signer);
  whole = await exportText(new SegmentArchive(scratch.path), signer);
  lines = whole.split('\n').slice(0, -1);
});

afterAll(() => scratch[Symbol.dispose]());

function verify(text: string, options = {}): Promise<Verification> {
  return verifyText(scratch.path, text, options);
}

function withByte(text: string, at: number, change: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ change) + text.slice(at + 1);
}

function joined(changed: readonly string[]): string {
  return changed.map((line) => `${line}\n`).join('');
}

function isEvent(line: string): boolean {
  return line.includes(',"event":');
}

/** Without the manifest, whose digest would find everything: what the chains show by themselves. */
function findings({
  findings: found,
}: Verification): (readonly [chain: string | undefined, seq: number | undefined])[] {
  return found.filter(({ message }) => !message.includes('manifest')).map(({ chain, seq }) => [chain, seq]);
}

function placeOf(line: string): readonly [chain: string, seq: number] {
  const { chain, seq } = JSON.parse(line);
  return [chain, seq];
}

describe('an export of everything', () => {
  test('verifies as it is, by the public key alone, and says what nobody outside has seen', async () => {
    const { keys, ...found } = await verify(whole, {
      publicKeys: [Buffer.from(signer.keys()[0]?.publicKey ?? '', 'base64')],
    });
    expect(found).toMatchObject({
      ok: true,
      findings: [],
      chains: [{ isEnded: false }, { isEnded: true }, { isEnded: true }],
    });
    expect(found.events).toBeGreaterThan(100);
    expect(found.chains.map(({ chain, signedSeq, lastSeq }) => [chain, signedSeq === lastSeq])).toEqual(
      runs.map(({ chain }) => [chain, true]),
    );
    expect(found.chains.map(({ witnessedSeq }) => witnessedSeq)).toEqual([0, 0, 0]);
    expect(keys).toEqual({ trusted: [signer.keys()[0]?.id], fromOutside: true });
  });

  test('whichever byte is altered, it is found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        expect((await verify(withByte(whole, at, change))).ok).toBe(false);
      }),
      { numRuns: 80 },
    );
  });

  test('whichever byte of an event is altered, of its digest or of its targets, that event is named', async () => {
    const events = lines.flatMap((line, place) => (isEvent(line) ? [place] : []));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(events.length - 1),
        fc.nat(),
        fc.integer({ min: 1, max: 31 }),
        async (event, at, change) => {
          const line = lines[events[event] ?? 0] ?? '';
          const from = line.indexOf('"digest"');
          const changed = withByte(line, from + (at % (line.length - from)), change);
          if (/[\n\r]/.test(changed)) return;
          const found = await verify(joined(lines.slice(0, -1).with(events[event] ?? 0, changed)));
          const [chain, seq] = placeOf(line);
          expect(findings(found)).toContainEqual([chain, seq]);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('an event that is taken out, said twice, moved, or put in is found where it is, by the chain itself', async () => {
    const events = lines.flatMap((line, place) => (isEvent(line) ? [place] : []));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(events.length - 1),
        fc.nat(events.length - 1),
        fc.constantFrom('removed', 'repeated', 'swapped', 'forged', 'moved'),
        async (one, other, how) => {
          const from = events[one] ?? 0;
          const to = events[other] ?? 0;
          if (from === to && (how === 'swapped' || how === 'moved')) return;
          const changed = [...lines];
          const line = changed[from] ?? '';
          if (how === 'removed') changed.splice(from, 1);
          if (how === 'repeated') changed.splice(to, 0, line);
          if (how === 'swapped') [changed[from], changed[to]] = [changed[to] ?? '', line];
          if (how === 'moved') changed.splice(to, 0, ...changed.splice(from, 1));
          if (how === 'forged') changed.splice(to, 0, line.replace(/request-\d+/, 'forged'));
          const found = await verify(joined(changed.slice(0, -1)));
          const [chain] = placeOf(line);
          const [otherChain] = placeOf(lines[to] ?? '');
          expect(findings(found).some(([of]) => of === chain || of === otherChain)).toBe(true);
        },
      ),
      { numRuns: 80 },
    );
  });

  test('a removed event is named by its number, and what stands behind it is judged all the same', async () => {
    const victims = lines.filter(isEvent);
    const [first = '', last = ''] = [victims[7], victims.at(-5)];
    const changed = lines.filter((line) => line !== first && line !== last);
    const found = findings(await verify(joined(changed)));
    expect(found).toContainEqual(placeOf(first));
    expect(found).toContainEqual(placeOf(last));
  });

  test('cut short, at whichever line, it says so', async () => {
    for (let kept = 0; kept < lines.length; kept += 7) {
      const found = await verify(joined(lines.slice(0, kept)));
      expect(found.findings.map(({ message }) => message).join()).toContain('cut short');
    }
    expect((await verify(whole.slice(0, -1))).ok).toBe(false);
  });

  test('what is written in another way is not what was written, though it means the same', async () => {
    const place = lines.findIndex((line) => line.includes('"lastSeq"'));
    const spaced = lines.with(place, (lines[place] ?? '').replace(':', ': ')).slice(0, -1);
    expect((await verify(joined(spaced))).findings).toContainEqual(expect.objectContaining({ line: place + 1 }));
    // The last character before the padding has four bits that base64 does not use.
    const signature = /"signature":"([^"]*)"/.exec(lines.at(-1) ?? '')?.[1] ?? '';
    const other = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/']
      .map((last) => `${signature.slice(0, 85)}${last}==`)
      .find((spelling) => spelling !== signature && Buffer.from(spelling, 'base64').toString('base64') === signature);
    const respelt = whole.replace(signature, other ?? '');
    expect((await verify(respelt)).findings).toMatchObject([{ message: expect.stringContaining('does not hold') }]);
  });

  test('signed again by somebody else, it is of no use', async () => {
    const stranger = await plainSigner();
    const forged = await exportText(new SegmentArchive(scratch.path), stranger);
    expect((await verify(forged)).findings.map(({ message }) => message).join()).toContain('is not known');
    const trusted = [Buffer.from(signer.keys()[0]?.publicKey ?? '', 'base64')];
    expect((await verify(forged, { publicKeys: trusted })).ok).toBe(false);
  });
});

describe('a witness', () => {
  /** The record as it was after a checkpoint, exported then: all that somebody has who cuts off what came later. */
  function cutBehind(run: WrittenRun, checkpoint: number): string {
    const last = JSON.parse(run.checkpoints[checkpoint]?.text ?? '{}').seq;
    const kept = lines.filter((line) => {
      if (!line.startsWith('{"chain":') || !line.includes(run.chain))
        return !line.startsWith('{"manifest"') && !line.includes(`{\\"v\\":1,\\"chain\\":\\"${run.chain}`);
      const { seq = 0, lastSeq = 0 } = JSON.parse(line);
      return Math.max(seq, lastSeq) <= last;
    });
    return joined(kept);
  }

  test('shows a tail that was cut behind any checkpoint that it does not stand before', async () => {
    const [, , run] = runs;
    for (let cut = 0; cut < run.checkpoints.length - 1; cut += 1) {
      const log = join(scratch.path, 'gateway.log');
      for (let seen = cut + 1; seen < run.checkpoints.length; seen += 1) {
        const line = { level: 30, time: RUNS_AT, checkpoint: run.checkpoints[seen], msg: 'checkpoint' };
        writeFileSync(log, `{"level":30,"msg":"another line"}\nno JSON at all\n${JSON.stringify(line)}\n`);
        const { findings: found } = await verify(cutBehind(run, cut), { witnesses: [log] });
        const cuts = found.filter(({ message }) => message.startsWith('the tail is cut: gateway.log'));
        expect([cut, seen, cuts.map(({ chain }) => chain)]).toEqual([cut, seen, [run.chain]]);
      }
    }
  });

  test('tells how far it vouches, and a line of it that was altered vouches for nothing', async () => {
    const log = join(scratch.path, 'gateway.log');
    const [first, other] = runs;
    const line = `${JSON.stringify({ checkpoint: other.checkpoints.at(-1) })}\n`;
    writeFileSync(log, line);
    const found = await verify(whole, { witnesses: [log] });
    expect(found.ok).toBe(true);
    const seen = found.chains.map(({ chain, witnessedSeq, lastSeq }) => [
      chain,
      witnessedSeq > 0,
      witnessedSeq === lastSeq,
    ]);
    // The other gateway's checkpoint names the first one's too.
    expect(seen.slice(0, 2)).toEqual([
      [first.chain, true, true],
      [other.chain, true, true],
    ]);
    // As those who collect logs keep it.
    writeFileSync(log, `gateway-1  | 2026-11-23T00:00:00Z ${line}`);
    expect((await verify(whole, { witnesses: [log] })).findings).toEqual([]);
    writeFileSync(log, line.replace(/seq\\":(\d)/, 'seq\\":1$1'));
    expect((await verify(whole, { witnesses: [log] })).findings).toMatchObject([
      { message: expect.stringContaining('no witness') },
    ]);
  });

  test('contradicts a chain that was written anew, with digests and links that fit', async () => {
    const log = join(scratch.path, 'gateway.log');
    const said = JSON.parse(runs[2].checkpoints[1]?.text ?? '{}');
    const text = canonicalJson({ ...said, link: 'ab'.repeat(32) });
    writeFileSync(log, `${JSON.stringify({ checkpoint: { text, ...signer.sign(text) } })}\n`);
    expect((await verify(whole, { witnesses: [log] })).findings).toMatchObject([
      { chain: runs[2].chain, seq: said.seq, message: expect.stringContaining('is not what gateway.log saw there') },
    ]);
  });

  test('a manifest of an earlier export is one, also of a run that is not there any more', async () => {
    const earlier = join(scratch.path, 'earlier.ndjson');
    writeFileSync(earlier, whole);
    const [, other] = runs;
    const without = joined(lines.filter((line) => !line.includes(other.chain) || line.startsWith('{"manifest"')));
    const { findings: found } = await verify(without.slice(0, without.indexOf('{"manifest"')), {
      witnesses: [earlier],
    });
    expect(found.filter(({ chain }) => chain === other.chain)).toMatchObject([
      { message: expect.stringContaining('it is not there') },
    ]);
  });
});

describe('an export with a filter', () => {
  test('is proven by its manifest: every byte of it', async () => {
    const filter = { team: 'shop', since: RUNS_AT, until: RUNS_AT + 1_000 };
    const text = await exportText(new SegmentArchive(scratch.path), signer, { filter });
    const found = await verify(text);
    expect(found).toMatchObject({ ok: true, notes: [expect.stringContaining('filter')] });
    expect(text.match(/,"event":/g)?.length).toBeGreaterThan(5);
    expect(text).not.toContain('"team":"ops"');
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        expect((await verify(withByte(text, at, change))).ok).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('of every kind has the events that a query finds, and no others', async () => {
    const archive = new SegmentArchive(scratch.path);
    const count = async (filter: object): Promise<number> =>
      ((await exportText(archive, signer, { filter })).match(/,"event":/g) ?? []).length;
    const total = lines.filter(isEvent).length;
    expect(await count({ team: 'shop' })).toBe(lines.filter((line) => line.includes('"team":"shop"')).length);
    expect(await count({ person: 'per_1' })).toBe(lines.filter((line) => line.includes('"personId":"per_1"')).length);
    expect(await count({ errorSource: 'mason' })).toBe(
      lines.filter((line) => line.includes('"errorSource":"mason"')).length,
    );
    expect(await count({ keyFingerprint: 'beef' })).toBe(lines.filter((line) => line.includes('"beef"')).length);
    expect(await count({ group: 'SERIAL-20-1' })).toBe(
      lines.filter((line) => line.includes('"group","SERIAL-20-1"')).length,
    );
    expect(await count({ group: 'SERIAL-20-0' })).toBe(0);
    expect(await count({ device: 'SERIAL-20-0' })).toBeGreaterThan(0);
    expect(await count({ teams: [] })).toBe(0);
    expect(await count({ until: RUNS_AT + 1e12 })).toBe(total);
  });
});
