import { setTimeout as delay } from "node:timers/promises";
import {
  type ComparisonView,
  type StartComparison,
  comparisonLimits,
} from "@isola/api/comparisons";
import { driverNames } from "@isola/api/limits";
import { integerOption, textOption } from "../arguments.ts";
import { callOf, callOptions } from "../call-options.ts";
import {
  type Command,
  type CommandGroup,
  type Context,
  type Option,
  type Options,
  type Result,
  exitCodes,
  usageFailure,
} from "../command.ts";
import { comparisonText, summaryText } from "../comparison-text.ts";
import { collectPages } from "../pages.ts";

const POLL_MS = 500;
const LISTED_MAX = 50;
const CANCEL_MS = 60_000;

const formats = ["text", "markdown", "csv"] as const;
const formatOption: Option = {
  flags: "--format <format>",
  help: "text, markdown or csv; left out: text",
  completes: formats,
};
const idHelp = { help: "of the comparison; `isola compare list` has them" };
const comparisonJson = "the comparison, as the API has it";

const runVerb: Command = {
  usage: "run",
  isOfProject: true,
  summary: "Measure the live revision of a function on each driver, side by side",
  details: [
    "The phases are shown on stderr as they begin, then the figures. Ctrl-C cancels the measurement. `--event`, `--sample`, `--http`, `--method`, `--path`, `--header` and `--data` say what the function is called with, as for `isola invoke`. More: [isolation.md](isolation.md).",
  ],
  options: [
    {
      flags: "--function <name>",
      help: "the function whose live revision is measured",
      completes: "function",
    },
    {
      flags: "--drivers <names>",
      help: "divided by commas; left out: all that work here",
      completes: driverNames,
    },
    ...callOptions,
    { flags: "--repeats <n>", help: helpOf("repeats", "rounds on each driver") },
    { flags: "--duration-ms <n>", help: helpOf("durationMs", "of each warm measurement") },
    { flags: "--cold-starts <n>", help: helpOf("coldStarts", "first calls of each kind a round") },
    { flags: "--connections <n>", help: helpOf("connections", "calls at once under load") },
    { flags: "--starts <n>", help: helpOf("starts", "sandboxes started at once") },
    {
      flags: "--mixes <names>",
      help: "of syscall, cpu, memory, io, divided by commas, or none; left out: all",
    },
    formatOption,
  ],
  examples: [
    {
      line: "isola compare --function hello --drivers process,docker",
      says: "these two",
    },
  ],
  json: comparisonJson,
  run: (context, _args, options) => run(context, options, formatOf(options)),
};

const listVerb: Command = {
  usage: "list",
  isOfProject: true,
  summary: "List the comparisons that are kept",
  options: [{ flags: "--function <name>", help: "only of this function", completes: "function" }],
  json: "`items` of the API",
  run: (context, _args, options) => list(context, options),
};

const showVerb: Command = {
  usage: "show <id>",
  isOfProject: true,
  summary: "Show a comparison",
  positionals: { id: idHelp },
  options: [formatOption],
  json: comparisonJson,
  async run(context, [id = ""], options) {
    const format = formatOf(options);
    return shown(context, await get(context, id), format);
  },
};

const cancelVerb: Command = {
  usage: "cancel <id>",
  isOfProject: true,
  summary: "End a comparison that runs",
  positionals: { id: idHelp },
  json: "`id`, `state`",
  run: (context, [id = ""]) => end(context, "cancel", id),
};

const rmVerb: Command = {
  usage: "rm <id>",
  isOfProject: true,
  summary: "Remove a comparison that has ended",
  positionals: { id: idHelp },
  json: "`id`, `state`",
  run: (context, [id = ""]) => end(context, "rm", id),
};

export const compareCommands: CommandGroup = {
  name: "compare",
  summary: "Measure a function on several drivers side by side, and keep what was found",
  default: "run",
  commands: [runVerb, listVerb, showVerb, cancelVerb, rmVerb],
};

function helpOf(name: keyof typeof comparisonLimits, what: string): string {
  const { least, most, default: usual } = comparisonLimits[name];
  return `${what}, ${least} to ${most} (default ${usual})`;
}

type Format = (typeof formats)[number];

function formatOf(options: Options): Format {
  const format = textOption(options, "format") ?? "text";
  if (format === "text" || format === "markdown" || format === "csv") return format;
  throw usageFailure(`--format takes text, markdown or csv, given: ${format}`);
}

async function run(context: Context, options: Options, format: Format): Promise<Result> {
  const { client, signal } = context;
  const body = await askedOf(context, options);
  const started = await client.startComparison(body, { signal });
  context.note(`comparison ${started.id}; Ctrl-C cancels it`);
  for (const { driver, state, reason } of started.drivers)
    if (state === "unavailable") context.note(`${driver} is left out: ${reason}`);
  try {
    return await shown(context, await followed(context, started), format);
  } catch (error) {
    if (!signal.aborted) throw error;
    await client.endComparison(started.id, { signal: AbortSignal.timeout(CANCEL_MS) });
    context.note(`comparison ${started.id} was cancelled`);
    throw error;
  }
}

/** Says each phase as it begins. */
async function followed(context: Context, started: ComparisonView): Promise<ComparisonView> {
  let said: string | null = null;
  for (let now = started; ; now = await get(context, started.id)) {
    if (now.state !== "running") return now;
    if (now.phase !== said) context.progress(`${String(now.percent).padStart(3)} % ${now.phase}`);
    said = now.phase;
    await delay(POLL_MS, undefined, { signal: context.signal });
  }
}

function get({ client, signal }: Context, id: string): Promise<ComparisonView> {
  return client.getComparison(id, { signal });
}

async function shown(context: Context, view: ComparisonView, format: Format): Promise<Result> {
  const { client, signal } = context;
  const text =
    format === "text"
      ? comparisonText(view)
      : (await client.exportComparison(view.id, { format }, { signal })).trimEnd();
  const isGood = view.state === "done" || view.state === "running";
  return { json: view, text, exitCode: isGood ? exitCodes.ok : exitCodes.failed };
}

async function list({ client, signal }: Context, options: Options): Promise<Result> {
  const name = textOption(options, "function");
  const filter = name === undefined ? {} : { function: name };
  const items = await collectPages(
    (page) => client.listComparisons({ ...filter, ...page }, { signal }),
    LISTED_MAX,
  );
  return { json: { items }, text: items.map(summaryText).join("\n") || "No comparisons." };
}

async function end(
  { client, signal }: Context,
  action: "cancel" | "rm",
  id: string,
): Promise<Result> {
  const { state } = await client.getComparison(id, { signal });
  if (action === "cancel" && state !== "running")
    throw usageFailure(`comparison ${id} does not run: it is ${state}`);
  if (action === "rm" && state === "running")
    throw usageFailure(`comparison ${id} runs: isola compare cancel ${id} ends it`);
  const ended = await client.endComparison(id, { signal });
  return { json: ended, text: `comparison ${ended.id} ${ended.state}` };
}

async function askedOf(context: Context, options: Options): Promise<StartComparison> {
  const name = textOption(options, "function");
  if (name === undefined) throw usageFailure("compare takes --function <name>");
  const drivers = namesOf(options, "drivers");
  const mixes = textOption(options, "mixes") === "none" ? [] : namesOf(options, "mixes");
  const numbers = {
    repeats: integerOption(options, "repeats", "--repeats"),
    durationMs: integerOption(options, "durationMs", "--duration-ms"),
    coldStarts: integerOption(options, "coldStarts", "--cold-starts"),
    connections: integerOption(options, "connections", "--connections"),
    starts: integerOption(options, "starts", "--starts"),
  };
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined);
  const asked = {
    function: name,
    ...(drivers && { drivers }),
    ...(mixes && { mixes }),
    ...(await callOf(context, options)),
    ...Object.fromEntries(given),
  };
  return asked as StartComparison; // the server checks the names
}

function namesOf(options: Options, name: string): string[] | undefined {
  return textOption(options, name)
    ?.split(",")
    .map((each) => each.trim());
}
