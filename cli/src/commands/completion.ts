import { fileURLToPath } from "node:url";
import type { Command, CommandGroup, Context, Result } from "../command.ts";
import { usageFailure } from "../command.ts";
import { bashScript } from "../completion/bash.ts";
import { candidatesOf } from "../completion/candidates.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import { contextsPath, readContexts } from "../contexts/contexts-file.ts";
import type { Entry } from "../notation.ts";

/** Somebody waits with a finger on the key. */
const NAMES_MS = 2_000;
const NAMES_MAX = 200;

const program = ["node", fileURLToPath(new URL("../../isola.mjs", import.meta.url))];
const kinds = ["function", "project", "runtime", "context"] as const;

const shells: Record<string, { script: typeof bashScript; install: string }> = {
  bash: { script: bashScript, install: 'eval "$(isola completion bash)"' },
  zsh: { script: zshScript, install: 'eval "$(isola completion zsh)"' },
  fish: { script: fishScript, install: "isola completion fish | source" },
};

const namesCommand: Command = {
  usage: "names <kind>",
  isOfProject: true,
  summary: "Print names of a kind, one a line, or nothing; the scripts ask this",
  positionals: { kind: { help: kinds.join(", "), completes: kinds } },
  json: "`items`, a list of texts",
  async run(context, [kind = ""]) {
    if (!(kinds as readonly string[]).includes(kind))
      throw usageFailure(`completion names takes ${kinds.join(", ")}, given: ${kind}`);
    const items = await namesOf(context, kind);
    return { json: { items }, text: items.join("\n") };
  },
};

/** Whatever goes wrong: a line that is being typed is no place to say so. */
async function namesOf(context: Context, kind: string): Promise<string[]> {
  try {
    const names = await askedNames(context, kind);
    // What else a name may hold, a shell would have to be told how to take.
    return names.filter((name) => /^\w[\w.-]{0,127}$/.test(name));
  } catch {
    return [];
  }
}

async function askedNames(context: Context, kind: string): Promise<string[]> {
  if (kind === "context") return [...readContexts(contextsPath(context.env)).contexts.keys()];
  const { client } = context;
  const options = { signal: AbortSignal.any([context.signal, AbortSignal.timeout(NAMES_MS)]) };
  if (kind === "runtime") {
    const { items } = await client.listRuntimes(options);
    return [...new Set(items.flatMap(({ name, family }) => [family, name]))];
  }
  const page = { limit: NAMES_MAX };
  const { items } =
    kind === "project"
      ? await client.listProjects(page, options)
      : await client.listFunctions(page, options);
  return items.map(({ name }) => name);
}

/** Of the commands that there are, which are handed in because this is one of them. */
export function completionCommands(entries: () => readonly Entry[]): CommandGroup {
  return {
    name: "completion",
    summary: "Completion of commands, flags and names, for bash, zsh and fish",
    details: [
      'bash: `eval "$(isola completion bash)"` in `~/.bashrc`. zsh: `eval "$(isola completion zsh)"` in `~/.zshrc`, behind `compinit`. fish: `isola completion fish | source` in `~/.config/fish/config.fish`. Names of functions, projects and runtimes are asked of the server, for two seconds at most; where it does not answer, nothing is offered. zsh completes what an alias stands for: make `isola` a function there, `isola() { node /path/to/isola/cli/isola.mjs "$@"; }`.',
    ],
    commands: [
      ...Object.entries(shells).map(([shell, { script, install }]) =>
        scriptCommand(shell, install, () => script(candidatesOf(entries()), program)),
      ),
      namesCommand,
    ],
  };
}

function scriptCommand(shell: string, install: string, make: () => string): Command {
  return {
    usage: shell,
    isLocal: true,
    summary: `Print the script for ${shell}`,
    examples: [{ line: install, says: `in this ${shell}` }],
    json: "`shell`, `script`",
    run(): Promise<Result> {
      const script = make();
      return Promise.resolve({ json: { shell, script }, text: script.trimEnd() });
    },
  };
}
