import { expect, test } from '@jest/globals';
import { StdoutSink } from '../../../src/audit/sinks/stdout-sink.ts';

test('On standard output each line is marked and whole, however a full pipe cuts what is written', async () => {
  let out = '';
  const writes: number[] = [];
  const sink = new StdoutSink('out', {
    async write(_descriptor, bytes, offset, length) {
      writes.push(length);
      if (writes.length === 2) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      const bytesWritten = Math.min(length, 1_500);
      out += bytes.toString('latin1', offset, offset + bytesWritten);
      return { bytesWritten };
    },
  });
  const lines = Array.from({ length: 50 }, (_, seq) => `{"chain":"gw-1/1","seq":${seq},"event":{"v":1}}\n`);
  await sink.deliver(lines.join(''));
  expect(out).toBe(lines.map((line) => `{"sink":"out",${line.slice(1)}`).join(''));
  expect(Math.max(...writes)).toBeLessThanOrEqual(4_096);
});
