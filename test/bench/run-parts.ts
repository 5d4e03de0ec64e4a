import { parseArgs } from 'node:util';
import type { Part } from './lane-bars/bar.ts';

export interface Bench {
  /** Name of the npm script. */
  readonly script: string;
  /** What is judged, in a sentence or two. */
  readonly about: string;
  /** The word that changes how much is done, and what it means. */
  readonly extent: { readonly word: 'long' | 'quick'; readonly means: string };
  readonly parts: readonly Part[];
}

/** Runs the parts that the command line asks for, one after the other, and sets the exit code: 1 when one missed its bar. */
export async function runParts(bench: Bench): Promise<void> {
  try {
    process.exitCode = await run(bench);
  } catch (error) {
    console.error(`bench: ${Error.isError(error) ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  }
}

async function run({ script, about, extent, parts }: Bench): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, help: { type: 'boolean' }, [extent.word]: { type: 'boolean' } },
  });
  const wanted = parts.filter(({ name }) => values['only'] === undefined || name === values['only']);
  if (values['help'] || wanted.length === 0) {
    console.log(`npm run ${script} [-- --only NAME] [--${extent.word}]
${about} Exit code 1: a bar was missed.
--${extent.word}: ${extent.means}

${parts.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}`);
    return values['help'] ? 0 : 1;
  }
  const long = (extent.word === 'long') === (values[extent.word] ?? false);
  const missed: string[] = [];
  for (const part of wanted) {
    console.log(`${part.name}: ${part.about}`);
    const from = performance.now();
    if (!(await part.run({ long }))) missed.push(part.name);
    console.log(`  ${((performance.now() - from) / 1_000).toFixed(0)} s`);
  }
  if (missed.length > 0) console.log(`missed: ${missed.join(', ')}`);
  return missed.length > 0 ? 1 : 0;
}
