import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc; the same on every Linux that Node runs on. */
const TICKS = 100;

/** Milliseconds of processor time of a process with its children (nginx' workers), all threads. */
export function processorMs(pid: number): number {
  let ticks = 0;
  for (const id of family(pid)) {
    const fields = fieldsAfterName(readFileSync(`/proc/${id}/stat`, 'utf8'));
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks * 1_000) / TICKS;
}

/** Resident memory of a process with its children, bytes. */
export function residentBytes(pid: number): number {
  let kilobytes = 0;
  for (const id of family(pid)) {
    kilobytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0);
  }
  return kilobytes * 1_024;
}

/** What a processor did since the start of the machine, in ticks. */
export function coreTicks(core: number): { readonly idle: number; readonly all: number } {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`cpu${core} `));
  const [user = 0, nice = 0, system = 0, idle = 0, ioWait = 0, ...rest] = (line ?? '').split(' ').slice(1).map(Number);
  // Guests are in user and nice already.
  const [hard = 0, soft = 0, steal = 0] = rest;
  return { idle: idle + ioWait, all: user + nice + system + idle + ioWait + hard + soft + steal };
}

function family(pid: number): number[] {
  const ids = [pid];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (Number(fieldsAfterName(readFileSync(`/proc/${entry}/stat`, 'utf8'))[1]) === pid) ids.push(Number(entry));
    } catch {
      // It ended while we looked.
    }
  }
  return ids;
}

/** The name may hold spaces and parentheses. */
function fieldsAfterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
