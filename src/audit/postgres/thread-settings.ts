import { Secret } from '../../domain/secret.ts';
import type { PostgresSettings } from '../../store/postgres/postgres-settings.ts';

/** Settings as they get over a thread's border, which knows no classes. Never printed or kept. */
export type ThreadSettings = Omit<PostgresSettings, 'password' | 'tls'> & {
  readonly password: string | undefined;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key: string | undefined } | undefined;
};

export function forThread(settings: PostgresSettings): ThreadSettings {
  const { password, tls } = settings;
  return { ...settings, password: password?.reveal(), tls: tls && { ...tls, key: tls.key?.reveal() } };
}

export function inThread({ password, tls, ...settings }: ThreadSettings): PostgresSettings {
  const { key, ...files } = tls ?? { key: undefined };
  return {
    ...settings,
    password: password === undefined ? undefined : new Secret(password),
    tls: tls && { ...files, ...(key === undefined ? {} : { key: new Secret(key) }) },
  };
}
