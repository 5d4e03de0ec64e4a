import { describe, expect, test } from '@jest/globals';
import { type CallOptions, createClient, type Device } from '../../src/client/client.ts';

const nothing: Response = new Response('{"data":[]}', { headers: { 'content-type': 'application/json' } });
const client = createClient({ baseUrl: 'http://gateway.test', token: 't', fetch: async () => nothing.clone() });

describe('types', () => {
  test('What is allowed is what one would write', async () => {
    const names: string[] = [];
    for await (const device of client.devices.list({ limit: 100 })) names.push(device.name);
    const page: readonly Device[] = (await client.devices.list({ after: 'x' }).page()).data;
    const options: CallOptions = { urgency: 1, deadlineMs: 5_000, signal: undefined };
    await client.notify.wipe({ group: 'a' }, { ...options, confirm: 'wipe' });
    const { data } = await client.call<{ data: number[] }>('GET', '/v1/default/device/{id}/screen', {
      parameters: { id: 'a' },
    });
    expect([names, page, data]).toEqual([[], [], []]);
  });
});
