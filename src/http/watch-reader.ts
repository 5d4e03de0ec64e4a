import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** How often, in the time that a reader may take nothing, it is looked at. */
const LOOKS = 4;
/** The kernel reads out its tables in milliseconds: in the time that a reader may take nothing, so often at most for all of them. */
const READINGS_MAX = 16;
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
/** Local port, remote port, and the bytes that the other side has not taken yet; without those that have none. */
const LINE = /:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} (?!0{8})([0-9A-F]{8}):/g;

/** A connection, as far as it is named in the kernel's tables. */
type Ports = Pick<Socket, 'localPort' | 'remotePort'>;

let newest: { readonly at: number; readonly untaken: Promise<ReadonlyMap<string, string>> } | undefined;

/**
 * Watches whether the other side takes what was written to a connection, from now on until it is disposed of. Whoever takes
 * anything within `idleMs` is not idle; whoever takes nothing is, and is told of once, at most a quarter of the time late.
 *
 * Node hears of it only when a third of the kernel's buffer is free again, of up to 4 MiB: who reads 40 kB a second would be taken
 * for gone within 30 s. So the kernel is asked how much is not acknowledged; elsewhere than on Linux, Node's view has to do.
 */
export function watchReader(socket: Ports, idleMs: number, onIdle: () => void): Disposable {
  let seen: string | undefined;
  let equal = 0;
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  // Counted in looks: a process that stood still is no reason to take anybody for gone.
  const timer = setInterval(async () => {
    const now = await untakenOf(socket, idleMs);
    if (isOver) return;
    equal = now === seen ? equal + 1 : 0;
    seen = now;
    if (equal < LOOKS) return;
    stop();
    onIdle();
  }, idleMs / LOOKS);
  return { [Symbol.dispose]: stop };
}

/**
 * What the other side of a connection has not taken yet, as a text to be compared; the same text when nothing is known.
 *
 * @param idleMs how long it may take nothing: what is known may be a sixteenth of that old
 */
export async function untakenOf({ localPort, remotePort }: Ports, idleMs: number): Promise<string> {
  const now = performance.now();
  if (newest === undefined || now - newest.at > idleMs / READINGS_MAX) newest = { at: now, untaken: readTables() };
  return (await newest.untaken).get(`${localPort} ${remotePort}`) ?? '';
}

/** By ports alone: where two addresses have the same ones, their texts stand side by side. */
async function readTables(): Promise<ReadonlyMap<string, string>> {
  const texts = await Promise.all(TABLES.map((table) => readFile(table, 'latin1').catch(() => '')));
  const untaken = new Map<string, string>();
  for (const [, local = '', remote = '', bytes = ''] of texts.join('').matchAll(LINE)) {
    const ports = `${Number.parseInt(local, 16)} ${Number.parseInt(remote, 16)}`;
    untaken.set(ports, `${untaken.get(ports) ?? ''}${bytes} `);
  }
  return untaken;
}
