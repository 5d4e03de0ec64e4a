import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExportEvidence } from '../../../src/audit/verify/export-evidence.ts';
import { verifyRecord } from '../../../src/audit/verify/verify-record.ts';
import type { SignedCheckpoint } from '../../../src/domain/checkpoint.ts';
import { type Extent, judge, type Part, tell } from '../lane-bars/bar.ts';
import { scratchDirectory } from '../machine/scratch.ts';
import { ALTERATION_KINDS, AlteredExport } from './altered-export.ts';
import type { VerifyCost } from './verify-child.ts';
import { writeExport } from './written-export.ts';

const EVENTS = 100_000;
const ALTERATIONS = 203;
const LONG_ALTERATIONS = 2_030;
const CUTS = 20;
const LONG_CUTS = 200;
/** So many times the events, some 350 MB more of them, must not take more memory than garbage comes and goes, bytes. */
const TIMES_MORE = 5;
const GROWTH_MAX = 67_108_864;
const PER_SECOND_MIN = 100_000;
const CHILD = fileURLToPath(new URL('verify-child.ts', import.meta.url));

export const altered: Part = {
  name: 'altered',
  about: `every single change to an export of ${EVENTS} events is found; how fast it is checked`,
  async run(extent) {
    const directory = scratchDirectory();
    const { file, checkpoints } = await writeExport(directory, EVENTS);
    const whole = verifyCost(file);
    tell(`as it is: ${whole.events} events in ${whole.ms.toFixed(0)} ms, ${mebibytes(whole.peakBytes)} MiB at most`);
    const parts = [
      judge(whole.ok, 'the export as it is verifies'),
      await judgeAlterations(file, directory, extent),
      await judgeCuts(file, directory, checkpoints, extent),
      await judgeCost(directory, whole),
    ];
    return parts.every(Boolean);
  },
};

async function judgeAlterations(file: string, directory: string, { long }: Extent): Promise<boolean> {
  const source = new AlteredExport(file);
  const changed = join(directory, 'changed.ndjson');
  const count = long ? LONG_ALTERATIONS : ALTERATIONS;
  const missed: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const kind = ALTERATION_KINDS[n % ALTERATION_KINDS.length] ?? 'byte';
    const what = source.alter(kind, changed);
    // Without a manifest one thing is always found: that there is none.
    const found = await findings(changed);
    if (found.every((message) => message.includes('manifest'))) missed.push(`${kind}: ${what}`);
  }
  for (const what of missed.slice(0, 5)) tell(`not found: ${what}`);
  return judge(missed.length === 0, `${missed.length} of ${count} alterations not found by the chain; the bar is 0`);
}

async function judgeCuts(
  file: string,
  directory: string,
  checkpoints: readonly SignedCheckpoint[],
  { long }: Extent,
): Promise<boolean> {
  const source = new AlteredExport(file);
  const [cut, log] = [join(directory, 'cut.ndjson'), join(directory, 'witness.log')];
  const count = long ? LONG_CUTS : CUTS;
  let missed = 0;
  for (let n = 0; n < count; n += 1) {
    const checkpoint = checkpoints[randomInt(checkpoints.length)] as SignedCheckpoint;
    writeFileSync(log, `{"level":"info","msg":"another line"}\n${JSON.stringify({ checkpoint })}\n`);
    source.cutBefore(JSON.parse(checkpoint.text).seq, cut);
    if (!(await findings(cut, [log])).some((message) => message.startsWith('the tail is cut'))) missed += 1;
  }
  return judge(missed === 0, `${missed} of ${count} tails cut before a witnessed checkpoint not found; the bar is 0`);
}

async function judgeCost(directory: string, small: VerifyCost): Promise<boolean> {
  const place = join(directory, 'large');
  mkdirSync(place);
  const { file } = await writeExport(place, EVENTS * TIMES_MORE);
  const large = verifyCost(file);
  const perSecond = (large.events * 1_000) / large.ms;
  const growth = large.peakBytes - small.peakBytes;
  const isFast = judge(
    large.ok && perSecond >= PER_SECOND_MIN,
    `${perSecond.toFixed(0)} events verified a second; the bar is ${PER_SECOND_MIN}`,
  );
  const isBounded = judge(
    growth <= GROWTH_MAX,
    `${mebibytes(growth)} MiB more for ${TIMES_MORE} times the events; the bar is ${mebibytes(GROWTH_MAX)}`,
  );
  return isFast && isBounded;
}

async function findings(file: string, witnesses: readonly string[] = []): Promise<readonly string[]> {
  const found = await verifyRecord({ evidence: new ExportEvidence(file), witnesses });
  return found.findings.map(({ message }) => message);
}

function verifyCost(file: string): VerifyCost {
  return JSON.parse(execFileSync(process.execPath, [CHILD, file], { encoding: 'utf8', env: {} }));
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}
