import type { ShownLink } from '../../src/manage/link-acts.ts';
import type { TestGateway } from './gateway.ts';

/** A page of the gateway's own origin in somebody's browser, as far as HTTP shows it. */
export interface Page {
  readonly cookie: string;
  /** The person's public id. */
  readonly person: string;
  /** Fetches a path with the session's cookie and the static header. */
  call(path: string, init?: RequestInit): Promise<Response>;
}

export interface PageRole {
  readonly role: string;
  readonly team?: string;
  readonly scopes?: readonly string[];
}

/** Signs somebody in with a link, in these roles. */
export async function openPage(gateway: TestGateway, ...grants: readonly PageRole[]): Promise<Page> {
  const link = (await gateway.administer('link.create', { name: 'Somebody', grants })) as ShownLink;
  const own = { 'X-Requested-By': 'test', Origin: gateway.url, 'Sec-Fetch-Site': 'same-origin' };
  const answer = await fetch(`${gateway.url}/auth/link`, {
    method: 'POST',
    headers: { ...own, 'Content-Type': 'application/json' },
    body: JSON.stringify({ secret: link.secret }),
  });
  const [cookie = ''] = answer.headers.getSetCookie().map((each) => each.split(';')[0]);
  if (answer.status !== 200 || cookie === '') throw new Error(`no sign-in: ${answer.status} ${await answer.text()}`);
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(gateway.url + path, { ...init, headers: { ...own, Cookie: cookie, ...init.headers } });
  const { person } = (await (await call('/auth/session')).json()) as { person: { id: string } };
  return { cookie, person: person.id, call };
}
