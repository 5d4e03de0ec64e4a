import { setImmediate as turn } from 'node:timers/promises';

/** Bytes that a process holds once nothing is left to collect. */
export interface Memory {
  /** In V8's heap, and outside for what is in it. */
  readonly held: number;
  readonly resident: number;
}

/** Loaded before a program that was started with `--expose-gc` and a channel: whoever started it asks by any message. */
process.on('message', async () => {
  for (let n = 0; n < 3; n++) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ held: heapUsed + external, resident: rss } satisfies Memory);
});
// It ends when it would have ended without.
process.channel?.unref();
