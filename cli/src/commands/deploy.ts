import { resolve } from "node:path";
import { ApiError } from "@isola/client";
import { listOption, pairsOf } from "../arguments.ts";
import { paintChanges } from "../colors.ts";
import {
  type Command,
  type Context,
  type Option,
  type Options,
  exitCodes,
  usageFailure,
} from "../command.ts";
import { applyAll } from "../deploy/apply-all.ts";
import { type Deployed, applyPlan } from "../deploy/apply.ts";
import { type Definitions, readDefinitions } from "../deploy/definition.ts";
import { deployResult, driftResult, shownPlan } from "../deploy/deploy-report.ts";
import { readEnvFile } from "../deploy/env-file.ts";
import { inItsPlaces, planAll } from "../deploy/plan-all.ts";
import type { Plan } from "../deploy/plan.ts";
import { settingOptions } from "../deploy/setting-flags.ts";
import type { Variables } from "../deploy/variables.ts";

export const variableOptions: readonly Option[] = [
  { flags: "--var <name=value>", help: "variable of isola.yaml", isRepeatable: true },
  {
    flags: "--var-file <file>",
    help: "file of variables, as .env",
    isRepeatable: true,
    completes: "file",
  },
];

export const deployCommand: Command = {
  usage: "deploy [dir]",
  isOfProject: true,
  summary:
    "Create or update the functions of a folder: those of its isola.yaml, or the folder itself",
  positionals: { dir: { help: "left out: the current folder", completes: "folder" } },
  details: [
    "`isola deploy [dir]` takes the functions of the folder's `isola.yaml` ([isola-yaml.md](isola-yaml.md)) or, without one, the folder itself as one function with its name; then flags are its settings. A function that exists is changed after a question, or at once with `--yes`; `--check` only says what differs; what the server alone can judge, as crons, time zones and handlers, it judges when it is deployed. Settings that are not named stay as they are.",
    "With isola.yaml: `--var` and `--var-file` fill in its variables, `--prune` deletes functions of its application that it does not name any more, `--adopt` takes over functions of other applications. One function that fails does not hold up the others; deploy again to finish.",
    "Values of `env` are told by their length only, with `--json` too, unless `--show-values` is given.",
    "The output of a build ([builds.md](builds.md)) is shown as it comes, on stderr; `--build` is the setting `build`.",
    "Left out of the package: `.git`, `.DS_Store`, `__pycache__`, `node_modules/.bin`, `isola.yaml`, a server's data folder, and what `.isolaignore` in the code's folder names, a pattern a line: `*.secret` or `test` is a name in any folder, `/build/drop.js` a path from the code's folder, `#` begins a comment.",
  ],
  examples: [
    { line: "isola deploy hello", says: "the folder hello, as the function hello" },
    { line: "isola deploy --check", says: "what differs from isola.yaml; exit code 4" },
    { line: "isola deploy --prune --yes", says: "makes the application what isola.yaml says" },
    { line: "isola deploy hello --memory-mib 256 --yes", says: "with a setting, unasked" },
  ],
  json: "`functions`: `name`, `action` (created, updated, unchanged, deleted; or failed, unknown with `error`, or notTried with `reason`), `changes` (`what`, `from`, `to`, of code `files`), `revision`, `url`, `applied`; with `--check`: `name`, `action` (create, update, delete, none), `changes`",
  options: [
    ...settingOptions,
    ...variableOptions,
    { flags: "--prune", help: "delete functions of the application that isola.yaml does not name" },
    { flags: "--adopt", help: "take over functions of other applications" },
    { flags: "--show-values", help: "show values of env, which may be secrets, in differences" },
    { flags: "--check", help: "only say what differs; exit code 4 if anything does" },
    { flags: "--yes", help: "change without asking" },
  ],
  async run(context, [dir = "."], options) {
    const folder = resolve(context.cwd, dir);
    const showsValues = options.showValues === true;
    const all = readDefinitions(folder, options, variablesOf(context, options));
    const prunes = options.prune === true;
    if (all.definitions.length === 0 && !prunes)
      throw usageFailure(`${folder}/isola.yaml names no function`);
    const plans = await planAll(context.client, all, { adopts: options.adopt === true, prunes });
    if (options.check === true) {
      const result = driftResult(plans, showsValues);
      if (result.exitCode === exitCodes.drift) context.note("`isola deploy` makes it so");
      return { ...result, paint: paintChanges };
    }
    const asks = plans.some(({ action }) => action === "update" || action === "delete");
    if (asks)
      context.note(plans.map((plan) => shownPlan(plan, showsValues)).join("\n"), paintChanges);
    if (asks && options.yes !== true) await askFirst(context);
    const outcomes = await applyAll(plans, (plan) => apply(context, all, plan), context.signal);
    const [first] = outcomes;
    // Of one function the failure itself is told, as of any other command.
    if (outcomes.length === 1 && first && "error" in first) throw first.error;
    const isInterrupted = context.signal.aborted;
    return deployResult(outcomes, { showsValues, isInterrupted });
  },
};

/** `--var` wins over `--var-file`, of which the last wins, and both over the environment. */
export function variablesOf(context: Context, options: Options): Variables {
  const problems: string[] = [];
  const files = listOption(options, "varFile").map((file) =>
    readEnvFile(resolve(context.cwd, file), (line, text) => {
      problems.push(line === null ? `${file} ${text}` : `${file}:${line}: ${text}`);
    }),
  );
  if (problems.length > 0) throw usageFailure(problems.join("\n  "));
  return [pairsOf(listOption(options, "var"), "--var"), ...files.reverse(), context.env];
}

async function apply(context: Context, all: Definitions, plan: Plan): Promise<Deployed> {
  const definition = all.definitions.find(({ name }) => name === plan.name);
  const applied = applyShowing(context, plan);
  return definition === undefined ? applied : inItsPlaces(definition, applied);
}

/** Shows the output of a build as it comes; a failure need not repeat it. */
async function applyShowing(context: Context, plan: Plan): Promise<Deployed> {
  let isShown = false;
  const onOutput = (text: string) => {
    isShown ||= !context.isJson;
    context.note(`${plan.name} | ${text}`);
  };
  try {
    return await applyPlan(context.client, plan, { signal: context.signal, onOutput });
  } catch (error) {
    if (!isShown || !(error instanceof ApiError) || error.code !== "build_failed") throw error;
    const { status, code, requestId, message } = error;
    throw new ApiError(message, { status, code, requestId, cause: error });
  }
}

async function askFirst(context: Context): Promise<void> {
  const answer = await context.confirm("Apply these changes?");
  if (answer === null) throw usageFailure("There is nobody to ask: add --yes to apply the changes");
  if (!answer) throw usageFailure("Nothing was changed");
}
