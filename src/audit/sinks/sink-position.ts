import { runOf } from '../chain.ts';

/** How far a sink has come in each chain of its gateway. */
export interface SinkPosition {
  /** Run up to which all chains were delivered to their end; empty: none. */
  readonly doneRun: string;
  readonly chains: Readonly<Record<string, ChainPlace>>;
}

export interface ChainPlace {
  /** The last event that was delivered, the end of its batch. */
  readonly seq: number;
  /** The event that the last checkpoint named which was delivered. */
  readonly checkpoint: number;
}

/** Runs that may still grow or wait are among the newest: of so many the place is kept one by one. */
const CHAINS_KEPT_MAX = 256;

/** Under which name the store keeps it. */
export function positionName(gatewayId: string, sink: string): string {
  return `sink:${gatewayId}:${sink}`;
}

/** @throws SyntaxError when it is none of ours */
export function parsePosition(text: string | undefined): SinkPosition {
  return text === undefined ? { doneRun: '', chains: {} } : JSON.parse(text);
}

export function placeIn({ chains, doneRun }: SinkPosition, chain: string): ChainPlace | 'done' {
  return chains[chain] ?? (runOf(chain) <= doneRun ? 'done' : { seq: 0, checkpoint: 0 });
}

/** A position with a place moved; runs sort as they began: the oldest chains are taken for done when there are too many. */
export function moved({ chains, doneRun }: SinkPosition, chain: string, place: ChainPlace): SinkPosition {
  const all = { ...chains, [chain]: place };
  const oldest = Object.keys(all)
    .sort((a, b) => (runOf(a) < runOf(b) ? -1 : 1))
    .slice(0, -CHAINS_KEPT_MAX);
  for (const done of oldest) delete all[done];
  const last = oldest.at(-1);
  return { doneRun: last === undefined ? doneRun : runOf(last), chains: all };
}
