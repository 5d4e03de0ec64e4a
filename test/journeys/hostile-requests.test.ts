import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OWNER_KEY } from '../support/gateway.ts';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';
import { sideBySide } from '../support/side-by-side.ts';
import type { Attack } from './attacks/attack.ts';
import { BODIES } from './attacks/bodies.ts';
import { FIELDS, GUESSED } from './attacks/fields.ts';
import { FRAMING } from './attacks/framing.ts';
import { REQUEST_LINES } from './attacks/request-lines.ts';
import { TARGETS } from './attacks/targets.ts';
import { UPGRADES } from './attacks/upgrades.ts';

const SUITES = {
  'a request whose length has two readings': FRAMING,
  'what is no HTTP/1.1, and methods that are not served': REQUEST_LINES,
  'header lines with two readings, or that claim what they cannot': FIELDS,
  'a target with two readings': TARGETS,
  'a wish for another protocol': UPGRADES,
  'a body that says more than one thing, or nothing': BODIES,
} as const;

/** So many at once; what reached Mason is looked at behind each batch. */
const BATCH = 32;
const ATTACKS: readonly Attack[] = Object.values(SUITES).flat();
const BATCHES = Array.from({ length: Math.ceil(ATTACKS.length / BATCH) }, (_, at) => at);

interface Played {
  readonly outcomes: { of(attack: Attack): Promise<void> };
  readonly harm: Promise<void>;
}

let bench: RawBench;
let played: Promise<Played>[];
beforeAll(async () => {
  bench = await openBench();
  let before: Promise<unknown> = Promise.resolve();
  played = BATCHES.map((at) => {
    const next = before.then(() => play(ATTACKS.slice(at * BATCH, (at + 1) * BATCH)));
    before = next;
    return next;
  });
});
afterAll(() => bench.close());

/** A sound call, many attacks, a look at what reached Mason, a sound call. */
async function play(attacks: readonly Attack[]): Promise<Played> {
  await bench.good();
  await bench.forget();
  const outcomes = sideBySide(attacks, attempt, BATCH);
  await Promise.allSettled(attacks.map((attack) => outcomes.of(attack)));
  const harm = bench.untouched().then(() => bench.good());
  await harm.catch(() => undefined);
  return { outcomes, harm };
}

/** Once in one segment, and once with the body apart: the parser fails before and after somebody reads the body. */
async function attempt(attack: Attack): Promise<void> {
  const bytes = filled(attack.bytes);
  const cut = bytes.indexOf('\r\n\r\n') + 4;
  await once(attack, [bytes]);
  if (cut > 4 && cut < bytes.length) await once(attack, [bytes.slice(0, cut), bytes.slice(cut)]);
}

async function once({ statuses, connection }: Attack, segments: readonly string[]): Promise<void> {
  using socket = await bench.open();
  await socket.write(...segments);
  const answer = await socket.answer();
  expectRefusal(answer, ...statuses);
  // A word of the caller's in an answer is a word in a log: no control characters, no secrets.
  const said = `${JSON.stringify(answer.headers)}${answer.body}`;
  expect(said).toMatch(/^\P{Cc}*$/u);
  expect(said).not.toMatch(new RegExp(`${bench.token}|${OWNER_KEY}|${GUESSED}`));
  if (answer.status === 405) expect(answer.headers['allow']).toMatch(/^[A-Z]+(?:, [A-Z]+)*$/);
  if (connection === 'closes') {
    expect(answer.headers['connection']).toBe('close');
    await socket.closed();
    expect(socket.rest).toBe('');
  } else {
    await socket.write('OPTIONS * HTTP/1.1\r\nHost: m\r\n\r\n');
    expect(await socket.answer()).toMatchObject({ status: 204 });
  }
}

function filled(bytes: string): string {
  return bytes
    .replaceAll('{auth}', bench.auth)
    .replaceAll('{host}', `127.0.0.1:${bench.gateway.port}`)
    .replaceAll('{token}', bench.token)
    .replaceAll('{key}', OWNER_KEY);
}

describe.each(Object.entries(SUITES))('%s', (_, attacks) => {
  test.each(attacks)('$name: $statuses, $connection ($source)', async (attack) => {
    const batch = await (played[Math.floor(ATTACKS.indexOf(attack) / BATCH)] as Promise<Played>);
    await batch.outcomes.of(attack);
  });
});

test.each(BATCHES)('nothing of batch %d reached Mason, and sound calls before and after it were served', async (at) => {
  await (await (played[at] as Promise<Played>)).harm;
});

test('no call is left behind that would wait for the rest of its body for ever', async () => {
  await Promise.all(played);
  await eventually('no call is open', async () => (await bench.callsOpen()) === 0);
});
