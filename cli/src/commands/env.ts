import type { FunctionView } from "@isola/api/functions";
import { pairsOf } from "../arguments.ts";
import { type Command, type CommandGroup, type Context, Failure, type Result } from "../command.ts";

const nameHelp = { help: "of the function", completes: "function" } as const;
const json = "`name`, `env` (null: hidden from this key)";
const changedJson = "`name`, `env`, `revision`";

const listCommand: Command = {
  usage: "list <name>",
  isOfProject: true,
  summary: "Show a function's environment",
  positionals: { name: nameHelp },
  json,
  async run({ client }, [name = ""]) {
    const fn = await client.getFunction(name);
    const lines = Object.entries(fn.env)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) =>
        value === null ? `${key} (hidden from this key)` : `${key}=${value}`,
      );
    return { json: { name, env: fn.env }, text: lines.join("\n") || "No variables." };
  },
};

const setCommand: Command = {
  usage: "set <name> <NAME=value...>",
  isOfProject: true,
  summary: "Set variables; the others stay",
  positionals: { name: nameHelp, "NAME=value": { help: "one or several" } },
  examples: [{ line: "isola env set hello QUALITY=80", says: "makes a revision" }],
  json: changedJson,
  async run(context, [name = "", ...values]) {
    const set = pairsOf(values, "env set");
    const fn = await context.client.getFunction(name);
    return change(context, fn, { ...readable(fn), ...set });
  },
};

const unsetCommand: Command = {
  usage: "unset <name> <NAME...>",
  isOfProject: true,
  summary: "Remove variables; the others stay",
  positionals: { name: nameHelp, NAME: { help: "one or several" } },
  json: changedJson,
  async run(context, [name = "", ...names]) {
    const fn = await context.client.getFunction(name);
    const env = readable(fn);
    const unknown = names.filter((key) => !Object.hasOwn(env, key));
    if (unknown.length > 0) throw new Failure(`${name} has no ${unknown.join(", ")}`);
    const kept = Object.entries(env).filter(([key]) => !names.includes(key));
    return change(context, fn, Object.fromEntries(kept));
  },
};

export const envCommands: CommandGroup = {
  name: "env",
  summary: "The environment of a function: show it, set and unset variables",
  default: "list",
  commands: [listCommand, setCommand, unsetCommand],
};

async function change(
  context: Context,
  fn: FunctionView,
  env: Record<string, string>,
): Promise<Result> {
  const changed = await context.client.patchFunction(fn.name, { env }, { ifMatch: fn.etag });
  const names = Object.keys(env).sort().join(", ") || "nothing";
  return {
    json: { name: fn.name, env: changed.env, revision: changed.liveRevision },
    text: `${fn.name}: revision ${changed.liveRevision} has ${names}`,
  };
}

/** The whole environment is written back, so all of it must have been read. */
function readable(fn: FunctionView): Record<string, string> {
  const hidden = Object.entries(fn.env).filter(([, value]) => value === null);
  if (hidden.length === 0) return fn.env as Record<string, string>;
  throw new Failure("This API key may not read the environment, so it cannot change parts of it");
}
