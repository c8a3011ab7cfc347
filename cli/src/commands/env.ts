import type { FunctionView } from "@isola/api/functions";
import { pairsOf } from "../arguments.ts";
import { type Command, type Context, Failure, type Result, usageFailure } from "../command.ts";

export const envCommand: Command = {
  usage: "env <name> [action] [values...]",
  isOfProject: true,
  summary: "Show a function's environment (list), or change it: set NAME=value ..., unset NAME ...",
  async run(context, [name = "", action = "list", ...values]) {
    const fn = await context.client.getFunction(name);
    if (action === "list") return listed(fn);
    if (values.length === 0) throw usageFailure(`env ${name} ${action} needs at least one NAME`);
    const env = readable(fn);
    if (action === "set") return change(context, fn, { ...env, ...pairsOf(values, "set") });
    if (action !== "unset") throw usageFailure(`env takes list, set or unset, given: ${action}`);
    const unknown = values.filter((key) => !(key in env));
    if (unknown.length > 0) throw new Failure(`${name} has no ${unknown.join(", ")}`);
    const kept = Object.entries(env).filter(([key]) => !values.includes(key));
    return change(context, fn, Object.fromEntries(kept));
  },
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

function listed(fn: FunctionView): Result {
  const lines = Object.entries(fn.env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => (value === null ? `${key} (hidden from this key)` : `${key}=${value}`));
  return { json: { name: fn.name, env: fn.env }, text: lines.join("\n") || "No variables." };
}

/** The whole environment is written back, so all of it must have been read. */
function readable(fn: FunctionView): Record<string, string> {
  const hidden = Object.entries(fn.env).filter(([, value]) => value === null);
  if (hidden.length === 0) return fn.env as Record<string, string>;
  throw new Failure("This API key may not read the environment, so it cannot change parts of it");
}
