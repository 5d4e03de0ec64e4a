/** One answer, its body read as JSON where it is JSON. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export interface Ask {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A caller of the API at this address; the path is given from `/default` on. */
export function apiAt(url: string) {
  return async (method: string, path: string, ask: Ask = {}): Promise<Got> => {
    const { key = 'demo-owner-key', body, headers } = ask;
    const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: { authorization: `basic ${key}`, ...headers },
      redirect: 'manual',
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    const json = text !== '' && response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
}
