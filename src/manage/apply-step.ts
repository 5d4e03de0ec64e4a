import type { World } from './world.ts';

/** One act on the way to the state that was asked for. */
export interface Step {
  readonly act:
    | 'team.add'
    | 'team.set'
    | 'team.remove'
    | 'app.add'
    | 'app.set'
    | 'app.remove'
    | 'key.add'
    | 'key.set'
    | 'key.rotate'
    | 'key.remove'
    | 'budget.set';
  /** What it is done to: `acme`, `acme/main`; for budgets their name. */
  readonly on: string;
  /** For people: what will change, from what to what; no secrets. */
  readonly says: string;
}

/** A step with all that its act takes, which may be a secret. */
export interface PlannedStep extends Step {
  readonly input: Readonly<Record<string, unknown>>;
  /** Name of the budget that it makes. */
  readonly makes?: string;
}

/** A step that is to be done at some point, when nothing stands in its way. */
export interface Difference {
  /** Where in the file it stands. */
  readonly where: string;
  obstacle?(world: World): string | undefined;
  /** Plays it on the world; undefined where another step did it already. */
  play(world: World): PlannedStep | undefined;
}
