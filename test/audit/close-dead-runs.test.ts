import { runClosingContract } from '../contracts/run-closing-contract.ts';
import { readChains } from './read-chain.ts';
import { scratchDirectory } from './scratch-directory.ts';

runClosingContract('files', async () => {
  const scratch = scratchDirectory('memory');
  return {
    directory: scratch.path,
    faults: async () => readChains(`${scratch.path}/audit`).flatMap(({ faults }) => faults),
    remove: async () => scratch[Symbol.dispose](),
  };
});
