import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { type ErrorDetail, IsolaError } from "../errors.ts";
import { DETAILS_MAX, type Schema, explain, illFormedText, isObject } from "@isola/api/explain";

/** What a schema cannot say. Gets the value before it is known to be well formed, so that all problems are told at once. */
export type Check = (value: unknown) => ErrorDetail[];

const prefixes: Record<string, string> = {
  body: "",
  querystring: "query.",
  params: "path.",
  headers: "headers.",
};

/**
 * Validates every part of a request by its schema, and bodies by the check that belongs to the schema. What fails is one `invalid_request` with all problems
 * of that part. Query and path members are text: integers and lists are read from it.
 */
export function validatorCompiler(
  checks: ReadonlyMap<TSchema, Check>,
): FastifySchemaCompiler<TSchema> {
  return ({ schema, httpPart }) => {
    if ((schema as Schema).format === "binary") return (value: unknown) => ({ value });
    const compiled = Compile(schema);
    const check = checks.get(schema);
    const prefix = prefixes[httpPart ?? "body"] ?? "";
    return (given: unknown) => {
      const value = httpPart === "body" ? given : fromText(schema as Schema, given);
      const broken = compiled.Check(value) ? [] : explain(schema as Schema, value, prefix);
      const further = [
        ...illFormedText(schema as Schema, value, prefix),
        ...(check?.(value) ?? []),
      ];
      const places = new Set(broken.map((detail) => detail.path));
      const all = [...broken, ...further.filter((detail) => !places.has(detail.path))];
      const details = all.slice(0, DETAILS_MAX);
      return details.length === 0 ? { value } : { error: invalidRequest(details) };
    };
  };
}

export function invalidRequest(details: ErrorDetail[]): IsolaError {
  const first = details
    .slice(0, 3)
    .map(({ path, expected, given }) => `${path}: expected ${expected}, given ${given}`);
  const more = details.length > 3 ? `; and ${details.length - 3} more, see details` : "";
  return new IsolaError("invalid_request", first.join("; ") + more, { details });
}

function fromText(schema: Schema, given: unknown): unknown {
  if (!isObject(given)) return given;
  const entries = Object.entries(given).map(([name, value]) => {
    const member = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : null;
    return [name, member ? memberFromText(member, value) : value];
  });
  return Object.fromEntries(entries);
}

function memberFromText(member: Schema, value: unknown): unknown {
  if (member.type === "array" && typeof value === "string") return [value];
  const isWhole = typeof value === "string" && /^-?\d{1,16}$/.test(value);
  return member.type === "integer" && isWhole ? Number(value) : value;
}
