import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/domain/clock.ts';
import { Secret } from '../../src/domain/secret.ts';
import { RedisClient } from '../../src/redis/redis-client.ts';
import { redisScript } from '../../src/redis/redis-script.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';

test('a server that says unknown commands back with their arguments gets neither the password nor them into what is told', async () => {
  const unknown = ['HELLO', 'AUTH', 'EVALSHA'].flatMap((command) => ['--rename-command', command, '']);
  await using server = await RedisServer.start({ args: unknown });
  const problems: string[] = [];
  using client = new RedisClient({
    settings: server.settings({ user: 'canary-user', password: new Secret('canary-password') }),
    clock: systemClock,
    onProblem: (problem) => problems.push(problem),
  });
  await eventually('it is said', () => problems.some((problem) => /unknown command 'auth'/i.test(problem)));
  using other = new RedisClient({
    settings: server.settings(),
    clock: systemClock,
    onProblem: (problem) => problems.push(problem),
  });
  await eventually('it is connected', () => other.health().state === 'ready');
  const asked = other.run(redisScript('budgetSlots-2'), ['a', 'b', 'canary-argument']);
  await expect(asked).rejects.toMatchObject({ code: 'ERR', message: "ERR unknown command 'evalsha'" });
  expect(JSON.stringify([problems, client.health(), other.health()])).not.toContain('canary');
});
