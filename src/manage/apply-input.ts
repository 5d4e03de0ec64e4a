import { z } from 'zod';
import type { Scope } from '../domain/scope.ts';
import { burst, masonKeyText, rateLimit, scopeList, slug, spreadMs, title, wholeNumber, yesOrNo } from './fields.ts';

/**
 * The state that teams shall be in. What is not said stays as it is; a section that is not there (`apps`, `keys`) is not looked
 * at, while an empty one says that there shall be none.
 */
export function desiredTeams(known: (scope: Scope) => boolean) {
  const app = z
    .strictObject({ weight: wholeNumber(1, 100).optional() }, { error: 'a mapping of settings' })
    .nullish()
    .transform((given) => given ?? {});
  const key = z.strictObject(
    {
      key: masonKeyText.optional(),
      scopes: scopeList(known, false),
      limit: rateLimit.optional(),
      burst: burst.optional(),
      spreadMs: spreadMs.optional(),
      budget: slug.optional(),
    },
    { error: 'a mapping of settings' },
  );
  const team = z
    .strictObject(
      { name: title.optional(), apps: byName(app).nullish(), keys: byName(key).nullish() },
      { error: 'a mapping of settings' },
    )
    .nullish()
    .transform((given) => given ?? {});
  return byName(team);
}

/** `{teams, prune?, dryRun?}` */
export function applyInput(known: (scope: Scope) => boolean) {
  return z.strictObject({
    teams: desiredTeams(known),
    prune: yesOrNo.default(false),
    dryRun: yesOrNo.default(false),
  });
}

export type DesiredTeams = z.output<ReturnType<typeof desiredTeams>>;
export type DesiredTeam = DesiredTeams[string];
export type DesiredKey = NonNullable<DesiredTeam['keys']>[string];

function byName<V extends z.ZodType>(value: V) {
  return z.record(slug, value, { error: 'a mapping by name' });
}
