import Type, { type TSchema } from "typebox";
import {
  NAME_PATTERN,
  otherDefaults,
  scalingLimits,
  settingLimits,
  streamLimits,
} from "./limits.ts";
import { metadataMembers, runtimeAsked, settingMembers } from "./settings.ts";
import { closed } from "./shapes.ts";

/** Marks the functions of an application: what `name` of an isola.yaml is. */
export const APP_LABEL = "isola.app";
/** A value of a label, and read as a name. */
export const APP_NAME_PATTERN = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$";

const path = (description: string) => Type.String({ minLength: 1, description });
const envFile = Type.Union([path("A dotenv file"), Type.Array(path("A dotenv file"))], {
  description:
    "Files of NAME=value lines, relative to isola.yaml; a later one wins over an earlier one, and `env` over all",
});

const { route, ...sharedSettings } = settingMembers;
const shared = {
  code: Type.Optional(path("Folder of the code, relative to isola.yaml; left out: its own folder")),
  runtime: Type.Optional(runtimeAsked),
  ...metadataMembers,
  ...sharedSettings,
  envFile: Type.Optional(envFile),
};

/** One function as isola.yaml has it: what the API takes, its code as a folder. */
export const FunctionDefinition = closed({ ...shared, route }, "FunctionDefinition");
/** A route belongs to one function. */
export const DefaultDefinition = closed(shared, "DefaultDefinition");

const appName = Type.String({
  pattern: APP_NAME_PATTERN,
  description: `Of the application: its functions carry the label ${APP_LABEL}, and \`isola deploy --prune\` deletes those that the file does not name any more`,
});

/** isola.yaml with its variables filled in, but for the functions themselves. */
export const DefinitionFrame = closed({
  $schema: Type.Optional(Type.String()),
  name: Type.Optional(appName),
  defaults: Type.Optional(DefaultDefinition),
  functions: Type.Unsafe<Record<string, unknown>>({ type: "object" }),
});

type Json = Record<string, unknown>;

/** Text that holds a variable may stand for anything. */
const variable = {
  type: "string",
  pattern: "\\$\\{",
  description: "From the environment, --var or --var-file: `${NAME}`, `${NAME:-default}`",
};

/** The JSON Schema of isola.yaml for editors: variables are allowed wherever a value is, and settings tell their defaults. */
export function definitionFileSchema(): Json {
  const named = (members: Record<string, TSchema>) =>
    Object.fromEntries(
      Object.entries(members).map(([name, member]) => [name, withDefault(name, member)]),
    );
  const settings = (schema: { properties: Record<string, TSchema> }, description: string) => ({
    type: "object",
    additionalProperties: false,
    description,
    properties: named(schema.properties),
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "isola.yaml",
    description: "Functions that `isola deploy` creates and updates",
    type: "object",
    additionalProperties: false,
    required: ["functions"],
    properties: {
      $schema: { type: "string", description: "Of this file, for editors" },
      name: withVariable(plain(appName)),
      defaults: settings(
        DefaultDefinition,
        "Settings of every function that does not name them itself; `env`, `labels` and `build` are merged member by member",
      ),
      functions: {
        type: "object",
        description: "By their names",
        propertyNames: { pattern: NAME_PATTERN },
        additionalProperties: settings(FunctionDefinition, "A function"),
      },
    },
  };
}

function withDefault(name: string, member: TSchema): Json {
  const schema = withVariable(plain(member));
  const standard = defaults[name];
  return standard === undefined ? schema : { ...schema, default: standard };
}

const defaults: Record<string, unknown> = {
  ...Object.fromEntries(Object.entries(settingLimits).map(([name, one]) => [name, one.default])),
  ...Object.fromEntries(Object.keys({ ...scalingLimits, ...streamLimits }).map((n) => [n, null])),
  ...otherDefaults,
};

function plain(schema: unknown): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}

/** The same, each value below it replaceable by a variable. */
function withVariable(schema: Json): Json {
  const { description, ...rest } = schema;
  const told = description === undefined ? {} : { description };
  if (Array.isArray(rest.anyOf)) {
    const branches = (rest.anyOf as Json[]).flatMap((one) => branchesOf(withVariable(one)));
    const unique = branches.filter((one) => one !== variable);
    return { ...told, anyOf: branches.length === unique.length ? unique : [...unique, variable] };
  }
  if (rest.type === "object") return { ...told, ...objectWithVariables(rest) };
  if (rest.type === "array") return { ...told, ...rest, items: withVariable(rest.items as Json) };
  const isAnything = rest.type === undefined && rest.enum === undefined && rest.const === undefined;
  const isFree =
    isAnything || (rest.type === "string" && rest.enum === undefined && rest.pattern === undefined);
  if (isFree || rest.type === "null") return schema;
  return { ...told, anyOf: [rest, variable] };
}

function branchesOf(schema: Json): Json[] {
  return Array.isArray(schema.anyOf) ? (schema.anyOf as Json[]) : [schema];
}

function objectWithVariables(schema: Json): Json {
  const { properties, ...rest } = schema;
  if (properties === undefined) return rest;
  const members = Object.entries(properties as Record<string, Json>);
  const build = otherDefaults.build as Record<string, unknown>;
  return {
    ...rest,
    properties: Object.fromEntries(
      members.map(([name, member]) => {
        const own = build[name] === undefined ? {} : { default: build[name] };
        return [name, { ...withVariable(member), ...own }];
      }),
    ),
  };
}
