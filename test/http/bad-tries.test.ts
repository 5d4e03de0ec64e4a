import { describe, expect, test } from '@jest/globals';
import { BadTries } from '../../src/http/bad-tries.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

describe('bad tries', () => {
  test('over the bound each is told to wait, until the minute is over', async () => {
    const clock = new VirtualClock();
    const tries = new BadTries(clock, 3);
    for (let i = 0; i < 3; i++) tries.noteBad('192.0.2.1');
    await clock.advance(20_000);
    expect(() => tries.noteBad('192.0.2.1')).toThrow(
      expect.objectContaining({ code: 'too_many_tries', retryAfterMs: 40_000 }),
    );
    await clock.advance(40_000);
    expect(() => tries.noteBad('192.0.2.1')).not.toThrow();
  });

  test('each address is counted for itself', () => {
    const tries = new BadTries(new VirtualClock(), 1);
    tries.noteBad('192.0.2.1');
    expect(() => tries.noteBad('192.0.2.2')).not.toThrow();
  });

  test.each(['2001:db8:1:2::1', '2001:db8:1:2:ffff:0:0:9', '2001:db8:1:2::'])(
    'whoever has 64 bits of IPv6 has all of them: %s counts as a neighbour of 2001:db8:1:2::77',
    (address) => {
      const tries = new BadTries(new VirtualClock(), 1);
      tries.noteBad('2001:db8:1:2::77');
      expect(() => tries.noteBad(address)).toThrow(expect.objectContaining({ code: 'too_many_tries' }));
      expect(() => tries.noteBad('2001:db8:1:3::77')).not.toThrow();
    },
  );

  test('a crowd of addresses pushes out the oldest, and memory stays bounded', () => {
    const tries = new BadTries(new VirtualClock(), 1);
    for (let i = 0; i <= 10_000; i++) tries.noteBad(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(() => tries.noteBad('10.0.0.0')).not.toThrow();
    expect(() => tries.noteBad('10.0.39.16')).toThrow(expect.objectContaining({ code: 'too_many_tries' }));
  });
});
