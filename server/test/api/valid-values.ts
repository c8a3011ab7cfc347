import fc from "fast-check";
import type { Schema } from "./operations.ts";

/** Values of a schema. `known` gives those of members whose further rules stand in prose, by their place: `env`, `route.path`, `query.cursor`. */
export function valuesOf(
  schema: Schema,
  place: string,
  known: ReadonlyMap<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<unknown> {
  const given = known.get(place);
  if (given !== undefined) return given;
  if (schema.anyOf !== undefined)
    return fc.oneof(...schema.anyOf.map((branch) => valuesOf(branch, place, known)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  switch (schema.type) {
    case "integer":
      return integersOf(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return textOf(schema);
    case "array":
      return fc.array(valuesOf(schema.items ?? {}, `${place}[]`, known), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      });
    case "object":
      return objectsOf(schema, place, known);
    case undefined:
      return fc.jsonValue();
    default:
      throw new Error(`no values are known for the type ${String(schema.type)} at ${place}`);
  }
}

function integersOf({ minimum = -1e9, maximum = 1e9 }: Schema): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(minimum, maximum),
    fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31 - 1) }),
  );
}

function textOf({ pattern, format, minLength = 0, maxLength = 50 }: Schema): fc.Arbitrary<string> {
  if (format === "date-time")
    return fc
      .date({ min: new Date("2040-01-01"), max: new Date("2090-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString());
  if (pattern !== undefined)
    return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, 60) });
  return fc.oneof(
    { weight: 9, arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, 40) }) },
    {
      weight: 9,
      arbitrary: fc.string({ unit: "binary", minLength, maxLength: Math.min(maxLength, 20) }),
    },
    { weight: 1, arbitrary: fc.constant("x".repeat(maxLength)) },
  );
}

function objectsOf(
  schema: Schema,
  place: string,
  known: ReadonlyMap<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<unknown> {
  const below = (name: string) => (place === "" ? name : `${place}.${name}`);
  const members = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, member]) => [
      name,
      valuesOf(member, below(name), known),
    ]),
  );
  const record = fc.record(members, { requiredKeys: schema.required ?? [] });
  // Members that may not be there at all have no values.
  return record.map((given) =>
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
}
