import type { Administrator } from '../domain/authority.ts';
import type { Acts } from './acts.ts';

/** What a first start without any configuration begins with. */
export interface DemoSeed {
  /** Keys that the simulator knows, with the scopes it gives them. */
  readonly keys: readonly { readonly name: string; readonly key: string; readonly scopes: readonly string[] }[];
  /** The simulator's limit, `50/1s`. */
  readonly limit: string;
}

/**
 * A team with two keys of different scopes, an app and a token: enough to make a call and to see which key it takes.
 *
 * @returns the token: the only time it is shown
 */
export async function seedDemo(acts: Acts, by: Administrator, seed: DemoSeed): Promise<string> {
  await acts['team.add'](by, { slug: 'demo', name: 'Demo team' });
  for (const { name, key, scopes } of seed.keys) {
    await acts['key.add'](by, { team: 'demo', name, key, scopes, limit: seed.limit });
  }
  await acts['app.add'](by, { team: 'demo', name: 'first-app' });
  return makeDemoToken(acts, by);
}

async function makeDemoToken(acts: Acts, by: Administrator): Promise<string> {
  const made = await acts['token.create'](by, {
    team: 'demo',
    app: 'first-app',
    scopes: ['fleet:admin', 'connect:read'],
    effects: 'disruptive',
    expires: '30d',
  });
  return made.token;
}
