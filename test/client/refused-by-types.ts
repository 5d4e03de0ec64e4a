// Held by the type checker, and run by nobody: an "expected" error that is none fails "npm run types".
import type { WhoAmI } from '../../src/admin/who-am-i.ts';
import type { TeamStatus as ToldStatus } from '../../src/call/team-status.ts';
import { createClient, type GatewayClient, type SessionView, type TokenView } from '../../src/client/client.ts';
import type { Operation } from '../../src/domain/operation.ts';
import type { TeamView, SessionView as ToldView } from '../../src/session/session-view.ts';

/** What a caller cannot write. */
export async function refusedByTypes(client: GatewayClient): Promise<void> {
  // @ts-expect-error: where the gateway is must be said
  void createClient({ token: 't' });
  // @ts-expect-error: a device has an id, and a number is none
  await client.devices.get(7);
  // @ts-expect-error: what cannot be undone is confirmed
  await client.notify.wipe({ devices: ['a'] });
  // @ts-expect-error: with its own word
  await client.notify.wipe({ devices: ['a'] }, { confirm: 'refurbish' });
  // @ts-expect-error: and nothing else is confirmed
  await client.notify.reboot({ devices: ['a'] }, { confirm: 'wipe' });
  // @ts-expect-error: some devices, or a group
  await client.notify.reboot({});
  // @ts-expect-error: not both
  await client.notify.reboot({ devices: ['a'], group: 'b' });
  // @ts-expect-error: urgency goes from 0 to 7
  await client.devices.get('a', { urgency: 8 });
  // @ts-expect-error: only devices are looked for by IMEI
  client.groups.list({ n: '35' });
  // @ts-expect-error: a list is not awaited but gone over
  (await client.devices.list()).data;
  // @ts-expect-error: a location is no part of a device
  (await client.devices.list().page()).data[0]?.latitude;
  // @ts-expect-error: tickets are for reading
  await client.session.ticket({ method: 'POST', path: '/v1/default/device' });
}

type ToldTeam = TeamView & { readonly status: ToldStatus | null };

/** What the gateway tells is what the client says that it tells. */
export const told = {
  person: (view: ToldView, teams: ToldTeam[]): SessionView => ({ ...view, teams }),
  token: (view: WhoAmI): TokenView => view,
  effect: (effect: Operation['effect']): TokenView['effects'] => effect,
};
