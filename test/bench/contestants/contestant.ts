/** Who takes part. */
export interface Contestant extends AsyncDisposable {
  readonly name: string;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Of the proxy; its children count as part of it. */
  readonly pid: number;
  /** Beyond what all are checked for. @throws Error when a call did not leave what it should */
  check?(answer: Response): Promise<void>;
  /** Between rounds: gives back the disk that the log took. */
  tidy?(): void;
}

/** The key that each contestant puts on. */
export const MASON_KEY = 'bench-key-7d1f0c52a94be863';
/** The path that is called: what a console asks for most. */
export const PATH = '/v1/default/device?limit=10';
/** One processor for the proxy, one for all the rest. */
export const PROXY_CORE = 1;
export const OTHER_CORE = 0;
