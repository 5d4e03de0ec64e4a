import { z } from 'zod';

/** One field of an act's input, as JSON Schema describes it. */
export interface FieldSchema {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** The fields of an act's input. What JSON Schema cannot say stands in words: those of the refusal. */
export function fieldsOf(input: z.ZodType): FieldSchema[] {
  const { properties = {}, required = [] } = z.toJSONSchema(input, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const words = expected(zodSchema);
      if (words !== undefined) jsonSchema.description = words;
    },
  });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    required: required.includes(name),
    schema: typeof schema === 'object' ? { ...schema } : {},
  }));
}

/** Refusals read "expected …", and the words after it say what a value must be. */
function expected({ _zod: { def } }: z.core.$ZodType): string | undefined {
  const say = def.error as ((issue: object) => unknown) | undefined;
  const words = say?.({ path: [], input: undefined });
  return typeof words === 'string' ? words : undefined;
}
