import { GatewayError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import { Secret } from '../domain/secret.ts';
import type { Vault } from '../vault/open-vault.ts';
import { type Act, type ActDeps, changing, type Scene } from './act.ts';
import type { AppActs } from './app-acts.ts';
import { applyInput, type DesiredTeams } from './apply-input.ts';
import type { PlannedStep, Step } from './apply-step.ts';
import type { BudgetActs } from './budget-acts.ts';
import type { KeyActs } from './key-acts.ts';
import type { KeyRotationActs } from './key-rotation-acts.ts';
import { planApply } from './plan-apply.ts';
import type { TeamActs } from './team-acts.ts';
import { World } from './world.ts';

export interface Applied {
  /** In the order in which they were done, or would be. */
  readonly steps: readonly Step[];
  /** False for a dry run. */
  readonly applied: boolean;
  /** What whoever manages the keys should hear about them. */
  readonly notes: readonly string[];
}

export interface ApplyActs {
  /**
   * `{teams: {<team>: {name?, apps?: {<app>: {weight?}}, keys?: {<key>: {key?, scopes, limit?, burst?, spreadMs?, budget?}}}},
   * prune?, dryRun?}`: takes teams to that state, step by step, each an act of its own under the same request id. What is not named
   * goes with `prune` only. A key that is there already needs none. All is checked before the first step; a step that fails ends it,
   * and the message says what was done. The same again does nothing.
   */
  apply: Act<Applied>;
}

export interface ApplyDeps extends ActDeps {
  readonly vault: Vault;
  readonly scopes: { known(scope: Scope): boolean };
  readonly masonOrigin: string;
}

type StepActs = TeamActs & AppActs & KeyActs & KeyRotationActs & BudgetActs;

export function applyActs(deps: ApplyDeps, acts: StepActs): ApplyActs {
  const { store, vault, masonOrigin } = deps;
  return {
    apply: changing(
      deps,
      { name: 'apply', need: 'operator', input: applyInput(deps.scopes.known) },
      async ({ teams, prune, dryRun }, scene) => {
        const fingerprints = fingerprintsOf(teams, vault);
        const steps = planApply(await World.of(store), { teams, fingerprints, prune, masonOrigin });
        return {
          details: { teams: Object.keys(teams).length, steps: steps.length },
          async carryOut() {
            const notes = dryRun ? [] : await carryOut(acts, steps, scene);
            return { steps: steps.map(shown), applied: !dryRun, notes };
          },
        };
      },
    ),
  };
}

function fingerprintsOf(teams: DesiredTeams, vault: Vault): Map<string, string> {
  const fingerprints = new Map<string, string>();
  for (const [team, { keys }] of Object.entries(teams)) {
    for (const [name, { key }] of Object.entries(keys ?? {})) {
      if (key !== undefined) fingerprints.set(`${team}/${name}`, vault.fingerprint(new Secret(key)));
    }
  }
  return fingerprints;
}

/** @returns the notes of all steps, each once */
async function carryOut(
  acts: StepActs,
  steps: readonly PlannedStep[],
  { by, requestId }: Scene,
): Promise<readonly string[]> {
  const notes = new Set<string>();
  for (const [at, step] of steps.entries()) {
    const act: Act<unknown> = acts[step.act];
    try {
      const answer = await act(by, step.input, requestId);
      for (const note of notesOf(answer)) notes.add(`${step.on}: ${note}`);
    } catch (error) {
      throw stopped(steps, at, error);
    }
  }
  return [...notes];
}

function notesOf(answer: unknown): readonly string[] {
  const { notes } = Object(answer) as { notes?: unknown };
  return Array.isArray(notes) ? notes.map(String) : [];
}

/** A bug stays one. */
function stopped(steps: readonly PlannedStep[], at: number, error: unknown): unknown {
  if (!(error instanceof GatewayError)) return error;
  const words = (some: readonly PlannedStep[]): string => some.map(({ says }) => says).join('; ') || 'nothing';
  return new GatewayError(
    error.code,
    `step ${at + 1} of ${steps.length} failed, to ${steps[at]?.says}: ${error.message}. Done before: ${words(steps.slice(0, at))}. ` +
      `Not done: ${words(steps.slice(at))}. Apply the same again to go on`,
    { cause: error, ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }) },
  );
}

function shown({ act, on, says }: PlannedStep): Step {
  return { act, on, says };
}
