import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AskedThread } from '../../src/audit/asked-thread.ts';

/** Answers what it is asked, and comes to the end that it is asked for. */
const CODE = `
  import { parentPort } from 'node:worker_threads';
  parentPort.on('message', ({ id, ask }) => {
    if (ask === 'exit') process.exit(1);
    if (ask === 'throw') throw new Error('out of its mind');
    if (ask === 'refuse') parentPort.postMessage({ id, code: 'invalid_request', problem: 'no such page' });
    else if (ask !== 'silence') parentPort.postMessage({ id, value: ask });
  });`;

let thread: AskedThread<{ ask: string }, { value: string }>;
beforeEach(() => {
  thread = new AskedThread(new URL(`data:text/javascript,${encodeURIComponent(CODE)}`), undefined, 'test');
});
afterEach(() => thread.close());

test.each(['exit', 'throw'])(
  'a thread that dies over a question fails all that wait, and the next one lives (%s)',
  async (end) => {
    expect(await thread.ask({ ask: 'a' })).toMatchObject({ value: 'a' });
    const waiting = [thread.ask({ ask: 'silence' }), thread.ask({ ask: end })];
    const failures = await Promise.allSettled(waiting);
    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(waiting[0]).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await thread.ask({ ask: 'b' })).toMatchObject({ value: 'b' });
  },
);

test('what it refuses is refused with its words, and whoever waits when it is closed is not left waiting', async () => {
  await expect(thread.ask({ ask: 'refuse' })).rejects.toMatchObject({
    code: 'invalid_request',
    message: 'no such page',
  });
  const waiting = thread.ask({ ask: 'silence' });
  await Promise.all([thread.close(), expect(waiting).rejects.toMatchObject({ code: 'store_unavailable' })]);
});

test('a reader whom the end fails, and who says that he reads no more, begins no thread that would outlive it', async () => {
  const reader = thread.ask({ ask: 'silence' }).catch(() => thread.ask({ ask: 'a' }));
  await thread.close();
  await expect(reader).rejects.toMatchObject({ code: 'store_unavailable' });
});
