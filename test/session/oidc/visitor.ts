/** What a page answered, without following where it leads. */
export interface Seen {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly location: string | undefined;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

const STEPS_MAX = 20;

/** A proxy that ends TLS before a gateway: what is asked of `origin` it asks of `upstream`, with headers of its own. */
export interface Proxy {
  readonly origin: string;
  readonly upstream: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A browser without a screen: it keeps cookies, and follows redirects only when told so. */
export class Visitor {
  readonly #proxy: Proxy | undefined;
  #cookies: Cookie[] = [];

  constructor(proxy?: Proxy) {
    this.#proxy = proxy;
  }

  /** `name=value` of those that would go to this address. */
  cookiesFor(url: string): string[] {
    const { host, pathname } = new URL(url);
    return this.#cookies
      .filter((cookie) => cookie.host === host && pathname.startsWith(cookie.path))
      .map(({ name, value }) => `${name}=${value}`);
  }

  plant(url: string, name: string, value: string): void {
    this.#keep({ host: new URL(url).host, path: '/', name, value });
  }

  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    return await this.#ask(url, { method: 'GET', headers });
  }

  async post(
    url: string,
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Seen> {
    return await this.#ask(url, { method: 'POST', body: new URLSearchParams(form), headers });
  }

  /** Goes where a page leads, through the provider's pages as this account, until `until` is where it would go next. */
  async follow(begin: Seen, account: string, until: (url: string) => boolean): Promise<string> {
    let seen = begin;
    for (let step = 0; step < STEPS_MAX; step++) {
      if (seen.location !== undefined) {
        if (until(seen.location)) return seen.location;
        seen = await this.get(seen.location);
      } else if (seen.status === 200 && seen.url.includes('/interaction/')) {
        seen = await this.post(seen.url, { account });
      } else break;
    }
    throw new Error(`went astray at ${seen.url}: ${seen.status} ${seen.text.slice(0, 300)}`);
  }

  async #ask(url: string, options: RequestInit): Promise<Seen> {
    const cookie = this.cookiesFor(url).join('; ');
    const headers = new Headers(options.headers);
    if (cookie !== '') headers.set('cookie', cookie);
    const isProxied = this.#proxy !== undefined && new URL(url).origin === this.#proxy.origin;
    const asked = isProxied ? url.replace(this.#proxy.origin, this.#proxy.upstream) : url;
    if (isProxied) for (const [name, value] of Object.entries(this.#proxy.headers)) headers.set(name, value);
    const answer = await fetch(asked, { ...options, redirect: 'manual', headers });
    for (const line of answer.headers.getSetCookie()) this.#take(url, line);
    const location = answer.headers.get('location');
    return {
      url,
      status: answer.status,
      headers: answer.headers,
      text: await answer.text(),
      location: location === null ? undefined : new URL(location, url).href,
    };
  }

  #take(url: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const equals = pair.indexOf('=');
    const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/';
    const ends = attributes.find((each) => /^expires=/i.test(each))?.slice(8);
    const cookie = { host: new URL(url).host, path, name: pair.slice(0, equals), value: pair.slice(equals + 1) };
    const isOver = attributes.includes('Max-Age=0') || (ends !== undefined && Date.parse(ends) <= Date.now());
    this.#keep(cookie, isOver);
  }

  #keep(cookie: Cookie, isOver = false): void {
    const { host, path, name } = cookie;
    this.#cookies = this.#cookies.filter((kept) => kept.host !== host || kept.path !== path || kept.name !== name);
    if (!isOver) this.#cookies.push(cookie);
  }
}
