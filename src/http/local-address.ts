interface Door {
  readonly host: string;
  readonly tls?: object | undefined;
  readonly publicUrl?: string | undefined;
}

/** Where the public door is called: on this machine, or, with TLS, under the name that its certificate has. */
export function doorAddress({ host, tls, publicUrl }: Door, port: number): string {
  return (tls === undefined ? undefined : publicUrl) ?? localAddress(host, port);
}

/** Where a listener is reached from this machine: `http://127.0.0.1:8080`. */
export function localAddress(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
