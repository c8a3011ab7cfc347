import type { AllInvocationsQuery, InvocationView } from "@isola/api/invocations";
import { driverNames, outcomes, startKinds } from "@isola/api/limits";
import { integerOption, listOption, textOption } from "../arguments.ts";
import { paintStates } from "../colors.ts";
import type { Command, CommandGroup, Context, Options, Result } from "../command.ts";
import { MOMENT, rangeOptions } from "../moment.ts";
import { collectPages } from "../pages.ts";
import { table } from "../printable.ts";
import { shownLog } from "./logs.ts";

const listCommand: Command = {
  usage: "list",
  isOfProject: true,
  summary: "List invocations, newest first",
  options: [
    { flags: "--function <name>", help: "only of this function", completes: "function" },
    {
      flags: "--outcome <outcome>",
      help: outcomes.join(", "),
      isRepeatable: true,
      completes: outcomes,
    },
    { flags: "--start-kind <kind>", help: startKinds.join(", "), completes: startKinds },
    { flags: "--driver <name>", help: "only on this driver", completes: driverNames },
    { flags: "--trace-id <id>", help: "only of this trace, 32 hex digits" },
    { flags: "--since <time>", help: `from then on: ${MOMENT}` },
    { flags: "--until <time>", help: "before then" },
    { flags: "--min-duration-ms <n>", help: "only those that took at least this long" },
    { flags: "--limit <n>", help: "the newest, at most this many (default 50)" },
  ],
  examples: [
    {
      line: "isola invocations list --outcome timeout --since 24h",
      says: "what ran too long since yesterday",
    },
  ],
  json: "`items` of the API",
  run: (context, _args, options) => list(context, options),
};

const showCommand: Command = {
  usage: "show <id>",
  isOfProject: true,
  summary: "Show one invocation in full, with its log lines",
  positionals: { id: { help: "of the invocation, as answers have it in `isola-request-id`" } },
  json: "the invocation with its `logs`, as the API has it",
  run: (context, [id = ""]) => show(context, id),
};

export const invocationsCommands: CommandGroup = {
  name: "invocations",
  summary: "Calls of functions: list them, show one with its log lines",
  default: "list",
  commands: [listCommand, showCommand],
};

async function list(context: Context, options: Options): Promise<Result> {
  const limit = integerOption(options, "limit", "--limit") ?? 50;
  const filter = filterOf(options);
  const found = await collectPages(
    (page) => context.client.listAllInvocations({ ...filter, ...page }),
    limit,
  );
  if (found.length === 0) return { json: { items: found }, text: "No invocations." };
  const rows = found.map((one) => [
    one.startedAt,
    one.id,
    `${one.functionName}@${one.revision}`,
    one.driver,
    one.startKind ?? "none",
    one.errorCode ?? one.outcome,
    String(one.status),
    one.totalMs.toFixed(1),
    one.cpuMs === null ? "-" : one.cpuMs.toFixed(1),
  ]);
  const head = [
    "STARTED",
    "ID",
    "FUNCTION",
    "DRIVER",
    "START",
    "OUTCOME",
    "STATUS",
    "MS",
    "CPU MS",
  ];
  return { json: { items: found }, text: table(head, rows), paint: paintStates };
}

function filterOf(options: Options): AllInvocationsQuery {
  const outcome = listOption(options, "outcome");
  const texts = {
    function: textOption(options, "function"),
    startKind: textOption(options, "startKind"),
    driver: textOption(options, "driver"),
    traceId: textOption(options, "traceId"),
  };
  const minDurationMs = integerOption(options, "minDurationMs", "--min-duration-ms");
  // What is none of theirs the server refuses, with the names there are.
  return {
    ...(Object.fromEntries(
      Object.entries(texts).filter(([, value]) => value !== undefined),
    ) as AllInvocationsQuery),
    ...rangeOptions(options),
    ...(outcome.length > 0 && { outcome: outcome as AllInvocationsQuery["outcome"] }),
    ...(minDurationMs !== undefined && { minDurationMs }),
  };
}

async function show(context: Context, id: string): Promise<Result> {
  const { logs, ...one } = await context.client.getInvocation(id);
  const rows = Object.entries(one as InvocationView).map(([name, value]) => [
    name,
    value === null ? "-" : String(value),
  ]);
  const lines = logs.length === 0 ? "No lines." : logs.map((line) => shownLog(line)).join("\n");
  return { json: { ...one, logs }, text: `${table(["FIELD", "VALUE"], rows)}\n\n${lines}` };
}
