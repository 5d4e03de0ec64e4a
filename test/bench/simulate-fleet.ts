import { UsageError } from '../../src/simulator/parse-values.ts';
import { parseFleetOptions, USAGE } from './simulate-fleet/options.ts';
import { printReport } from './simulate-fleet/print-report.ts';
import { simulate } from './simulate-fleet/simulate.ts';

/** @returns the exit code: 0, or 2 for bad options */
async function run(argv: readonly string[]): Promise<number> {
  let command: ReturnType<typeof parseFleetOptions>;
  try {
    command = parseFleetOptions(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`simulate-fleet: ${error.message} (see --help)`);
    return 2;
  }
  if (command === 'help') {
    console.log(USAGE);
    return 0;
  }
  const startedAt = performance.now();
  const report = await simulate(command.options);
  const tookMs = performance.now() - startedAt;
  console.log(command.json ? JSON.stringify({ ...report, tookMs }, null, 2) : printReport(report, tookMs));
  return 0;
}

process.exitCode = await run(process.argv.slice(2));
