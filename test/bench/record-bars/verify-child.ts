import { resourceUsage } from 'node:process';
import { ExportEvidence } from '../../../src/audit/verify/export-evidence.ts';
import { verifyRecord } from '../../../src/audit/verify/verify-record.ts';

/** What checking an export took, told in one line of JSON by a process that did nothing else. */
export interface VerifyCost {
  readonly ok: boolean;
  readonly events: number;
  readonly ms: number;
  readonly peakBytes: number;
}

const from = performance.now();
const { ok, events } = await verifyRecord({ evidence: new ExportEvidence(process.argv[2] ?? '') });
const ms = performance.now() - from;
console.log(JSON.stringify({ ok, events, ms, peakBytes: resourceUsage().maxRSS * 1_024 } satisfies VerifyCost));
