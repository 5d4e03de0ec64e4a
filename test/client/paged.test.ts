import { describe, expect, test } from '@jest/globals';
import { createClient, type Device, GatewayCallError, type Page } from '../../src/client/client.ts';
import { json, type OddGateway, oddGateway } from './odd-gateway.ts';

const devicesOf = (gateway: OddGateway) => createClient({ baseUrl: gateway.url, token: 't' }).devices;

/** More than any test asks for: a loop without an end would be the test's, too. */
const PAGES_MAX = 20;

/** Pages by the key that asks for them; '' is the first. */
function pagesOf(pages: Readonly<Record<string, unknown>>, key = 'after'): Promise<OddGateway> {
  let left = PAGES_MAX;
  return oddGateway((res, { url }) => {
    left -= 1;
    if (left < 0) res.destroy();
    else json(res, pages[new URL(url, 'http://x').searchParams.get(key) ?? '']);
  });
}

/** All that comes, and how it ends. */
async function readAll<T>(list: AsyncIterable<T>): Promise<{ items: T[]; error: GatewayCallError | undefined }> {
  const items: T[] = [];
  try {
    for await (const item of list) items.push(item);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayCallError);
    return { items, error: error as GatewayCallError };
  }
  return { items, error: undefined };
}

describe('a list in pages', () => {
  test('All items of all pages come, by keys that nobody understands, and the query goes along', async () => {
    const key = 'a/b+c=&?%00 ü';
    await using gateway = await pagesOf({
      '': { data: [1, 2], nextPage: key },
      [key]: { data: [], nextPage: 7, prevPage: 'p' },
      '7': { data: [3], nextPage: '', prevPage: key },
    });
    const { items } = await readAll(devicesOf(gateway).list({ limit: 2, n: '35' }));
    expect(items).toEqual([1, 2, 3]);
    expect(gateway.heard.map(({ url }) => new URL(url, 'http://x').searchParams.get('limit'))).toEqual(['2', '2', '2']);
    expect(gateway.heard.map(({ url }) => new URL(url, 'http://x').searchParams.get('n'))).toEqual(['35', '35', '35']);
  });

  test('A page is asked for when the one before it is used up, and no sooner', async () => {
    await using gateway = await pagesOf({ '': { data: [1, 2], nextPage: 'b' }, b: { data: [3] } });
    const list = devicesOf(gateway).list();
    expect(gateway.heard).toHaveLength(0);
    for await (const item of list) {
      expect(gateway.heard).toHaveLength(Number(item) < 3 ? 1 : 2);
    }
    for await (const _ of list) break;
    expect(gateway.heard).toHaveLength(3);
  });

  test('Pages can be had one by one, with the keys of both neighbours, under either name', async () => {
    await using gateway = await pagesOf({
      '': { data: [1], next: 'b' },
      b: { data: [2], next: null, prev: 'a' },
    });
    const pages: Page<Device>[] = [];
    for await (const page of devicesOf(gateway).list().pages()) pages.push(page);
    expect(pages).toEqual([
      { data: [1], nextPage: 'b', prevPage: undefined },
      { data: [2], nextPage: undefined, prevPage: 'a' },
    ]);
    expect(await devicesOf(gateway).list({ after: 'b' }).page()).toEqual(pages[1]);
  });

  test('Asked for backwards, it goes backwards', async () => {
    await using gateway = await pagesOf(
      { c: { data: [2], prevPage: 'b', nextPage: 'c' }, b: { data: [1], nextPage: 'b' } },
      'before',
    );
    expect((await readAll(devicesOf(gateway).list({ before: 'c' }))).items).toEqual([2, 1]);
  });

  test('Keys that go in a circle end it, instead of the day', async () => {
    await using gateway = await pagesOf({
      '': { data: [1], nextPage: 'b' },
      b: { data: [2], nextPage: 'c' },
      c: { data: [3], nextPage: 'b' },
    });
    const { items, error } = await readAll(devicesOf(gateway).list());
    expect(items).toEqual([1, 2, 3]);
    expect(error).toMatchObject({ type: 'api_error', source: 'mason' });
    expect(error?.message).toContain('"b" came again');
    expect(gateway.heard).toHaveLength(3);
  });

  test.each([{}, { data: {} }, null, 'text', [1]])('%j is no page', async (body) => {
    await using gateway = await oddGateway((res) => json(res, body));
    const { error } = await readAll(devicesOf(gateway).list());
    expect(error?.message).toContain('expected a page');
  });

  test('An error in the middle comes after what came before it', async () => {
    await using gateway = await oddGateway((res, { url }) =>
      url.includes('after')
        ? json(res, { type: 'rate_limit_error', message: 'later' }, 429, { 'retry-after': '2' })
        : json(res, { data: [1], nextPage: 'b' }),
    );
    const { items, error } = await readAll(devicesOf(gateway).list());
    expect(items).toEqual([1]);
    expect(error).toMatchObject({ status: 429, retryAfterMs: 2_000 });
  });

  test('An abort between two pages, and one while a page is on its way, end it', async () => {
    const controller = new AbortController();
    await using gateway = await oddGateway((res, { url }) => {
      if (!url.includes('after')) json(res, { data: [1], nextPage: 'b' });
      else controller.abort();
    });
    const list = () => devicesOf(gateway).list({}, { signal: controller.signal });
    expect((await readAll(list())).error).toMatchObject({ type: 'aborted' });
    expect(gateway.heard).toHaveLength(2);
    expect((await readAll(list())).error).toMatchObject({ type: 'aborted' });
    expect(gateway.heard).toHaveLength(2);
  });

  test('The deadline of a list is one for all its pages, and each is told what is left of it', async () => {
    let pages = 0;
    await using gateway = await oddGateway((res) => json(res, { data: [1], nextPage: String(++pages) }));
    const { items, error } = await readAll(devicesOf(gateway).list({}, { deadlineMs: 150 }));
    expect(items.length).toBeGreaterThan(0);
    expect(error).toMatchObject({ type: 'timeout_error', source: 'network' });
    await using slow = await oddGateway((res) => {
      setTimeout(() => json(res, { data: [1], nextPage: String(++pages) }), 600);
    });
    const lines: number[] = [];
    for await (const _ of devicesOf(slow).list({}, { deadlineMs: 20_100 }).pages()) {
      lines.push(Number(slow.heard.at(-1)?.headers['prefer']?.slice('wait='.length)));
      if (lines.length === 2) break;
    }
    expect(lines[0]).toBe(15);
    expect(lines[1]).toBeLessThan(15);
  });

  test('The deadline of the client is one for each page', async () => {
    await using gateway = await pagesOf({ '': { data: [1], nextPage: 'b' }, b: { data: [2] } });
    const { devices } = createClient({ baseUrl: gateway.url, token: 't', deadlineMs: 10_000 });
    expect((await readAll(devices.list())).items).toEqual([1, 2]);
    expect(gateway.heard.map(({ headers }) => headers['prefer'])).toEqual(['wait=7', 'wait=7']);
  });
});
