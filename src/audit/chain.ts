import { createHash, hash } from 'node:crypto';

/** How far a chain has come. */
export interface Head {
  /** Of the last event; 0 before the first. */
  readonly seq: number;
  /** Of the last batch in its run; -1 before the first. */
  readonly batch: number;
  /** 32 bytes, of the last batch. */
  readonly link: Uint8Array;
}

/** Which chain it is that has come so far. */
export interface ChainHead extends Head {
  readonly chain: string;
}

/** A run of a gateway has one chain. */
export function chainName(gatewayId: string, run: string): string {
  return `${gatewayId}/${run}`;
}

/** The run that a chain is of. */
export function runOf(chain: string): string {
  return chain.slice(chain.lastIndexOf('/') + 1);
}

/** Before the first batch: the link is the digest of the chain's name, so that no batch fits into another chain. */
export function chainBegin(chain: string): Head {
  return { seq: 0, batch: -1, link: hash('sha256', chain, 'buffer') };
}

/** SHA-256 of an event's canonical bytes, which are ASCII. */
export function lineDigest(line: string): Uint8Array {
  return hash('sha256', line, 'buffer');
}

/** The next link: SHA-256 of the previous one and the digests of the batch, in order. */
export function nextLink(previous: Uint8Array, digests: readonly Uint8Array[]): Uint8Array {
  const sha = createHash('sha256').update(previous);
  for (const digest of digests) sha.update(digest);
  return sha.digest();
}
