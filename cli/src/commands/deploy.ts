import { resolve } from "node:path";
import { ApiError } from "@isola/client";
import { type Command, type Context, type Result, exitCodes, usageFailure } from "../command.ts";
import { type Deployed, applyPlan } from "../deploy/apply.ts";
import { type Definition, definitionOptions, readDefinitions } from "../deploy/definition.ts";
import { type Plan, planOf } from "../deploy/plan.ts";
import { inPlaces } from "../explain-failure.ts";

export const deployCommand: Command = {
  usage: "deploy [dir]",
  isOfProject: true,
  summary:
    "Create or update the functions of a folder: those of its isola.yaml, or the folder itself",
  positionals: { dir: { help: "left out: the current folder", completes: "folder" } },
  details: [
    "`isola deploy [dir]` takes the functions of the folder's `isola.yaml` ([functions.md](functions.md#deploying)) or, without one, the folder itself as one function with its name; then flags are its settings. A function that exists is changed after a question, or at once with `--yes`; `--check` only says what differs. Settings that are not named stay as they are.",
    "The output of a build ([builds.md](builds.md)) is shown as it comes, on stderr; `--build` is the setting `build`.",
    "Left out of the package: `.git`, `.DS_Store`, `__pycache__`, `node_modules/.bin`, `isola.yaml`, a server's data folder, and what `.isolaignore` in the code's folder names, a pattern a line: `*.secret` or `test` is a name in any folder, `/build/drop.js` a path from the code's folder, `#` begins a comment.",
  ],
  examples: [
    { line: "isola deploy hello", says: "the folder hello, as the function hello" },
    { line: "isola deploy --check", says: "what differs from isola.yaml; exit code 4" },
    { line: "isola deploy hello --memory-mib 256 --yes", says: "with a setting, unasked" },
  ],
  json: "`functions`: `name`, `action` (created, updated, unchanged), `changes` (`what`, `from`, `to`), `revision`, `url`, `applied`; with `--check`: `name`, `action` (create, update, none), `changes`",
  options: [
    ...definitionOptions,
    { flags: "--check", help: "only say what differs; exit code 4 if anything does" },
    { flags: "--yes", help: "change without asking" },
  ],
  async run(context, [dir = "."], options) {
    const definitions = readDefinitions(resolve(context.cwd, dir), options);
    const plans: Plan[] = [];
    for (const definition of definitions) {
      plans.push(await inItsPlaces(definition, planOf(context.client, definition)));
    }
    if (options.check === true) return drift(plans);
    if (plans.some(({ action }) => action === "update") && options.yes !== true) {
      context.note(plans.map(shownPlan).join("\n"));
      await askFirst(context);
    }
    const deployed: Deployed[] = [];
    for (const [index, definition] of definitions.entries()) {
      const applied = applyShowing(context, definition.name, plans[index] as Plan);
      deployed.push(await inItsPlaces(definition, applied));
    }
    return { json: { functions: deployed }, text: deployed.map(shownDeployed).join("\n") };
  },
};

/** Shows the output of a build as it comes; a failure need not repeat it. */
async function applyShowing(context: Context, name: string, plan: Plan): Promise<Deployed> {
  let isShown = false;
  const onOutput = (text: string) => {
    isShown ||= !context.isJson;
    context.note(`${name} | ${text}`);
  };
  try {
    return await applyPlan(context.client, plan, { signal: context.signal, onOutput });
  } catch (error) {
    if (!isShown || !(error instanceof ApiError) || error.code !== "build_failed") throw error;
    const { status, code, requestId, message } = error;
    throw new ApiError(message, { status, code, requestId, cause: error });
  }
}

/** What the server finds wrong is said in the words of the definition. */
async function inItsPlaces<T>(definition: Definition, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw inPlaces(error, (path) => definition.placeOf(path));
  }
}

async function askFirst(context: Context): Promise<void> {
  const answer = await context.confirm("Apply these changes?");
  if (answer === null) throw usageFailure("There is nobody to ask: add --yes to apply the changes");
  if (!answer) throw usageFailure("Nothing was changed");
}

function drift(plans: readonly Plan[]): Result {
  const functions = plans.map(({ name, action, changes }) => ({ name, action, changes }));
  const differs = plans.some(({ action }) => action !== "none");
  return {
    json: { functions },
    text: plans.map(shownPlan).join("\n"),
    exitCode: differs ? exitCodes.drift : exitCodes.ok,
  };
}

function shownPlan({ name, action, changes }: Plan): string {
  if (action === "none") return `${name}: as deployed`;
  const lines = changes.map(({ what, from, to }) =>
    action === "create"
      ? `  + ${what}: ${shown(to)}`
      : `  ~ ${what}: ${shown(from)} -> ${shown(to)}`,
  );
  return [`${name}: ${action}`, ...lines].join("\n");
}

function shownDeployed({ name, action, revision, url, applied }: Deployed): string {
  const later = applied ? "" : " (stored; reaches the gateway when that answers again)";
  return `${name}: ${action}, revision ${revision}, ${url}${later}`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
