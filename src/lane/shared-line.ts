export type ReadyApp = readonly [appId: string, ready: number, weight: number];

/** What is asked for, as seen from the conversation with a shared budget. */
export interface SharedLine {
  readonly ready: number;
  readyByApp(): Iterable<ReadyApp>;
  /** Which part of each app's ready calls waits here; `others`: of apps of which nothing is known. */
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
  for (const app of apps.splice(APPS_TOLD_MAX)) {
    ready += app[1];
    weight += app[2];
  }
  apps.push([OTHER_APPS, ready, weight]);
  return apps;
}
