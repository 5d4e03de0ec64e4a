import type { ActName, Acts } from '../manage/acts.ts';

export type ActAnswer<N extends ActName> = Awaited<ReturnType<Acts[N]>>;

/** The administrative acts, wherever they are carried out: in the running gateway, or here. */
export interface ActClient extends AsyncDisposable {
  /** @throws CliError with what the gateway answered */
  perform<N extends ActName>(name: N, input?: Readonly<Record<string, unknown>>): Promise<ActAnswer<N>>;
}
