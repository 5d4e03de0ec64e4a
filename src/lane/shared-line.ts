/**
 * An app's calls that are ready; how urgent they are stands in pairs of urgency (0 to 7) and calls, and all of them together
 * are `ready`.
 */
export type ReadyApp = readonly [appId: string, ready: number, weight: number, urgencies: readonly number[]];

/** What is asked for, as seen from the conversation with a shared budget. */
export interface SharedLine {
  readonly ready: number;
  readyByApp(): Iterable<ReadyApp>;
  /** Which part of each app's turns is for calls that wait here; `others`: of apps of which nothing is known. */
  setParts(apps: readonly ReadyApp[], parts: readonly number[], others: number): void;
}

const APPS_TOLD_MAX = 64;
/** Stands for all apps beyond those. */
const OTHER_APPS = '*';

/** The apps of the line as they are told, the last for all beyond a bound. */
export function appsToTell(line: SharedLine): ReadyApp[] {
  const apps = [...line.readyByApp()];
  if (apps.length <= APPS_TOLD_MAX) return apps;
  let [ready, weight] = [0, 0];
  const readyAt = new Map<number, number>();
  for (const [, calls, heavy, urgencies] of apps.splice(APPS_TOLD_MAX)) {
    ready += calls;
    weight += heavy;
    for (let i = 0; i < urgencies.length; i += 2) {
      const urgency = urgencies[i] as number;
      readyAt.set(urgency, (readyAt.get(urgency) ?? 0) + (urgencies[i + 1] as number));
    }
  }
  apps.push([OTHER_APPS, ready, weight, [...readyAt].flat()]);
  return apps;
}
