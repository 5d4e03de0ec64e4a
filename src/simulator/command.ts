import { DEFAULT_KEYS } from './options.ts';
import { parseArguments } from './parse-arguments.ts';
import { UsageError } from './parse-values.ts';
import { type RunningSimulator, startSimulator } from './start-simulator.ts';
import { USAGE } from './usage.ts';

/**
 * The simulator as a program: runs until SIGTERM, SIGINT, or (when asked) the end of standard input.
 * @returns the exit code: 0, 2 for bad options, 1 when it cannot listen.
 */
export async function runSimulatorCommand(argv: readonly string[]): Promise<number> {
  let command: ReturnType<typeof parseArguments>;
  try {
    command = parseArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`simulator: ${error.message} (see --help)`);
    return 2;
  }
  if (command === 'help') {
    console.log(USAGE);
    return 0;
  }

  let simulator: RunningSimulator;
  try {
    simulator = await startSimulator(command.options);
  } catch (error) {
    console.error(`simulator: cannot listen: ${(error as Error).message}`);
    return 1;
  }
  const ended = whenToldToEnd(command.untilStdinEnds);
  const { url, port } = simulator;
  if (command.json) {
    console.log(JSON.stringify({ url, port }));
  } else {
    console.log(`Simulated Mason at ${url} (control under ${url}/_sim)`);
    if (command.options.gatewayUrl !== undefined) console.log(`  example frontend at ${url}/example/`);
    if (command.options.keys === DEFAULT_KEYS) {
      for (const { key, scopes } of DEFAULT_KEYS) console.log(`  key ${key} with ${scopes.join(', ')}`);
    }
  }
  await ended;
  // An input that is read keeps the process alive.
  if (command.untilStdinEnds) process.stdin.destroy();
  await simulator.close();
  return 0;
}

/** The listeners stay: a second signal must not kill what is just closing. */
function whenToldToEnd(untilStdinEnds: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
    // A parent that dies without a word closes the pipe: no simulator outlives the test that started it.
    if (untilStdinEnds) process.stdin.once('close', () => resolve()).resume();
  });
}
