import { type Fault, type FaultRule, needsTrueAnswer } from './fault.ts';

export interface PlannedFault {
  readonly id: number;
  readonly rule: FaultRule;
  /** Requests that matched so far, and those it was played on. */
  seen: number;
  played: number;
}

/** The faults that were asked for, in that order; the first that fits a request and is not used up takes it. */
export class FaultPlan {
  #planned: PlannedFault[] = [];
  #id = 0;

  add(rule: FaultRule): PlannedFault {
    this.#id += 1;
    const planned = { id: this.#id, rule, seen: 0, played: 0 };
    this.#planned.push(planned);
    return planned;
  }

  clear(): void {
    this.#planned = [];
  }

  list(): readonly PlannedFault[] {
    return this.#planned;
  }

  /** The fault for a request that has just come. Kinds which need the true answer are always claimed here. */
  claimOnArrival(method: string, path: string): Fault | undefined {
    return this.#claim(method, path, ({ rule }) => rule.afterProcessing !== true || needsTrueAnswer(rule.fault));
  }

  /** The fault for a request that was processed. */
  claimAfterProcessing(method: string, path: string): Fault | undefined {
    return this.#claim(method, path, ({ rule }) => rule.afterProcessing === true && !needsTrueAnswer(rule.fault));
  }

  #claim(method: string, path: string, fits: (planned: PlannedFault) => boolean): Fault | undefined {
    for (const planned of this.#planned) {
      const { match, times = 1, fault } = planned.rule;
      if (!fits(planned) || !matches(match, method, path)) continue;
      if (times !== 'always' && planned.played >= times) continue;
      planned.seen += 1;
      if (planned.seen < (match?.nth ?? 1)) continue;
      planned.played += 1;
      return fault;
    }
    return undefined;
  }
}

function matches(match: FaultRule['match'], method: string, path: string): boolean {
  if (match?.method !== undefined && match.method.toUpperCase() !== method) return false;
  if (match?.path === undefined) return true;
  if (match.path.endsWith('*')) return path.startsWith(match.path.slice(0, -1));
  return path === match.path;
}
