import type { KeptEvent } from '../../domain/archive.ts';

/** An event, with its place. */
export interface ExportedEvent extends KeptEvent {
  readonly chain: string;
  readonly batch: number;
}
