import type { ReadyApp } from './shared-line.ts';
import { SortedBlocks } from './sorted-blocks.ts';
import { AppLine, compareByDeadline, compareByPass, type Waiter } from './waiter.ts';

/**
 * Divisible by 1 to 12, so that shares of small weights are exact (weight 100: within 0.1 %); a whole number, so that sums
 * are exact for 10^11 turns.
 */
const STRIDE_OF_WEIGHT_ONE = 55_440;
const IDLE_APPS_KEPT = 64;
/** Keeps strides below the numbers in which sums are exact. */
const PART_MIN = 1e-4;

/**
 * Which call goes next: stride scheduling between apps, by weight; within an app by `compareWithinApp`. An app that
 * was quiet comes in at the present virtual time: it has saved up nothing, and owes at most the one turn it had last.
 */
export class FairQueue<W extends Waiter<W>> {
  readonly #apps = new Map<string, AppLine<W>>();
  readonly #readyApps = new SortedBlocks<AppLine<W>>(compareByPass);
  readonly #byDeadline = new SortedBlocks<W>(compareByDeadline);
  #virtualTime = 0;
  #order = 0;
  #seniority = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #waitingApps = 0;
  #waitingWeight = 0;
  #partOfOthers = 1;

  /** Calls that joined and wait, ready or not. */
  get waiting(): number {
    return this.#waiting;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get ready(): number {
    return this.#byDeadline.size;
  }

  /** Apps remembered: those that wait, and some that did not long ago. */
  get knownApps(): number {
    return this.#apps.size;
  }

  /** The ready call with the earliest deadline. */
  get mostPressing(): W | undefined {
    return this.#byDeadline.first;
  }

  /**
   * The line of an app, for a waiter that is not in the line yet, so that {@link ahead} can be asked first. An app's
   * weight is what its latest call says.
   */
  lineOf(appId: string, weight: number): AppLine<W> {
    const app = this.#apps.get(appId) ?? this.#addApp(appId);
    if (app.waiting.size > 0) this.#waitingWeight += weight - app.weight;
    app.weight = weight;
    return app;
  }

  nextSeniority(): number {
    return ++this.#seniority;
  }

  /** Lets it into the line: a candidate, or (`returning`) a call that had a turn. */
  join(waiter: W): void {
    // The app may have been forgotten while the call was at Mason.
    if (waiter.returning) waiter.app = this.lineOf(waiter.call.appId, waiter.call.weight);
    const { app } = waiter;
    if (app.waiting.size === 0) {
      this.#waitingApps++;
      this.#waitingWeight += app.weight;
    }
    app.waiting.insert(waiter);
    app.heldBytes += waiter.call.heldBytes;
    this.#waiting++;
    this.#waitingBytes += waiter.call.heldBytes;
  }

  /** From now on a turn may be given to it. */
  makeReady(waiter: W): void {
    const { app } = waiter;
    waiter.ready = true;
    if (app.ready.size === 0) {
      app.pass = Math.max(app.pass, this.#virtualTime);
      app.order = ++this.#order;
      this.#readyApps.insert(app);
    }
    app.addReady(waiter);
    this.#byDeadline.insert(waiter);
  }

  /** Takes it out of the line, whatever it was waiting for. */
  leave(waiter: W): void {
    const { app } = waiter;
    if (!app.waiting.remove(waiter)) return;
    app.heldBytes -= waiter.call.heldBytes;
    this.#waiting--;
    this.#waitingBytes -= waiter.call.heldBytes;
    if (app.waiting.size === 0) {
      this.#waitingApps--;
      this.#waitingWeight -= app.weight;
    }
    if (!waiter.ready) return;
    waiter.ready = false;
    app.removeReady(waiter);
    this.#byDeadline.remove(waiter);
    if (app.ready.size === 0) this.#readyApps.remove(app);
  }

  /** Takes out the ready call whose turn it is, and charges its app. */
  next(): W | undefined {
    const app = this.#readyApps.first;
    const waiter = app?.ready.first;
    if (app === undefined || waiter === undefined) return undefined;
    this.#virtualTime = app.pass;
    this.#readyApps.remove(app);
    app.pass += strideOf(app);
    if (app.ready.size > 1) this.#readyApps.insert(app);
    this.leave(waiter);
    return waiter;
  }

  /**
   * How many turns come before this call's if everybody is ready and nothing new comes. The call may be in the line or a
   * candidate. Costs about the number of apps that wait.
   */
  ahead(waiter: W): number {
    const { app } = waiter;
    const before = app.waiting.rank(waiter);
    const pass = this.#passOf(app) + before * strideOf(app);
    const order = app.ready.size > 0 ? app.order : this.#order + 1;
    let turns = before;
    if (this.#waitingApps === (app.waiting.size > 0 ? 1 : 0)) return turns;
    for (const other of this.#apps.values()) {
      if (other === app || other.waiting.size === 0) continue;
      const lead = (pass - this.#passOf(other)) / strideOf(other);
      const isBefore = other.ready.size > 0 && other.order < order;
      turns += Math.min(other.waiting.size, Math.max(0, isBefore ? Math.floor(lead) + 1 : Math.ceil(lead)));
    }
    return turns;
  }

  /** Everybody who waits, in the order of their turns if all are ready and nothing new comes. */
  *inOrder(): Generator<W> {
    const apps = new SortedBlocks<{ pass: number; order: number; stride: number; line: Iterator<W>; head: W }>(
      compareByPass,
    );
    let order = this.#order;
    for (const app of this.#apps.values()) {
      const line = [...app.waiting][Symbol.iterator]();
      const head = line.next();
      if (head.done === true) continue;
      const place = app.ready.size > 0 ? app.order : ++order;
      apps.insert({ pass: this.#passOf(app), order: place, stride: strideOf(app), line, head: head.value });
    }
    for (let app = apps.first; app !== undefined; app = apps.first) {
      apps.remove(app);
      yield app.head;
      const following = app.line.next();
      if (following.done === true) continue;
      apps.insert({ ...app, pass: app.pass + app.stride, head: following.value });
    }
  }

  /**
   * The app's part of the pace, 0 to 1, beside the apps that wait now.
   *
   * @param everywhere weights of the apps that wait in all lines of the budget together, if they are known to be more.
   */
  shareOf(appId: string, weight: number, everywhere = 0): number {
    const app = this.#apps.get(appId);
    const own = app !== undefined && app.waiting.size > 0 ? app.weight : 0;
    return weight / (weight + Math.max(this.#waitingWeight, everywhere) - own);
  }

  /** Apps of which a call is ready. */
  *readyByApp(): Generator<ReadyApp> {
    for (const app of this.#readyApps) yield [app.id, app.ready.size, app.weight, app.urgencies()];
  }

  /**
   * Which part of each app's turns is for calls of this line, where the budget has several: it is weighted less for that.
   *
   * @param others for apps of which nothing is known yet.
   */
  setParts(apps: readonly ReadyApp[], parts: readonly number[], others: number): void {
    this.#partOfOthers = Math.max(PART_MIN, others);
    const told = new Map(apps.map(([id], i) => [id, Math.max(PART_MIN, parts[i] ?? 1)]));
    for (const app of this.#apps.values()) this.#setPart(app, told.get(app.id) ?? this.#partOfOthers);
  }

  /** What the app is ahead by counts in turns: else who had nearly no part for a moment would pay for it long after. */
  #setPart(app: AppLine<W>, part: number): void {
    const before = strideOf(app);
    app.part = part;
    const ahead = app.pass - this.#virtualTime;
    if (ahead <= 0) return;
    const isReady = app.ready.size > 0;
    if (isReady) this.#readyApps.remove(app);
    app.pass = this.#virtualTime + Math.round((ahead / before) * strideOf(app));
    if (isReady) this.#readyApps.insert(app);
  }

  /** Apps of which a call waits. */
  *waitingApps(): Generator<AppLine<W>> {
    for (const app of this.#apps.values()) if (app.waiting.size > 0) yield app;
  }

  #passOf(app: AppLine<W>): number {
    return app.ready.size > 0 ? app.pass : Math.max(app.pass, this.#virtualTime);
  }

  #addApp(id: string): AppLine<W> {
    if (this.#apps.size >= IDLE_APPS_KEPT + 2 * this.#waitingApps) this.#forgetIdleApps();
    const app = new AppLine<W>(id);
    app.part = this.#partOfOthers;
    this.#apps.set(id, app);
    return app;
  }

  /** Only those that owe nothing: else an app that comes back for each single call would always be first. */
  #forgetIdleApps(): void {
    for (const app of this.#apps.values()) {
      if (app.waiting.size === 0 && (app.pass <= this.#virtualTime || this.#readyApps.size === 0)) {
        this.#apps.delete(app.id);
      }
    }
  }
}

function strideOf(app: { weight: number; part: number }): number {
  return Math.round(STRIDE_OF_WEIGHT_ONE / (app.weight * app.part));
}
