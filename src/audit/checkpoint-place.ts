import type { Checkpoint } from '../domain/checkpoint.ts';

/**
 * Of which chain a kept checkpoint is, and up to where. Of a text that is none: of no chain (empty), up to nothing (0). Whoever
 * altered it must not stop with that those who read on; verifying finds it.
 */
export function checkpointPlace(text: string): Pick<Checkpoint, 'chain' | 'seq' | 'link'> {
  try {
    const { chain = '', seq = 0, link = '' }: Partial<Checkpoint> = Object(JSON.parse(text));
    return { chain, seq: Number.isSafeInteger(seq) ? seq : 0, link };
  } catch {
    return { chain: '', seq: 0, link: '' };
  }
}
