import type { ChainHead } from '../chain.ts';
import { listSegments } from './segment-file.ts';
import { openSegmentToRead, readSegmentHead } from './segment-head.ts';

/**
 * The head of the newest other run of a gateway in this directory. A file that cannot be read is passed over: it must not
 * keep the gateway from starting, and verifying the record finds it.
 */
export function findPreviousHead(directory: string, gatewayId: string, run: string): ChainHead | undefined {
  for (const file of listSegments(directory)) {
    if (file.run === run) continue;
    const found = readHead(file.path);
    if (found?.gatewayId === gatewayId) return { chain: found.chain, ...found.head };
  }
  return undefined;
}

function readHead(path: string): ReturnType<typeof readSegmentHead> {
  try {
    using db = openSegmentToRead(path);
    return readSegmentHead(db);
  } catch {
    return undefined;
  }
}
