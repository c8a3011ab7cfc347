import { ApiError } from "@isola/client";
import type { ScheduleView } from "@isola/api/schedules";
import { paintStates } from "../colors.ts";
import type { Command, CommandGroup, Context } from "../command.ts";
import { invokedResult } from "../invoked-result.ts";
import { didYouMean } from "../nearest.ts";
import { table } from "../printable.ts";

const nameHelp = { help: "of the function", completes: "function" } as const;

const listCommand: Command = {
  usage: "list <name>",
  isOfProject: true,
  summary: "List the schedules of a function: when each runs next, and how it went last",
  positionals: { name: nameHelp },
  json: "`items` of the API",
  async run({ client, signal }, [name = ""]) {
    const { items } = await client.listSchedules(name, { signal });
    const rows = items.map((one) => [
      one.name,
      one.description,
      one.cron,
      one.timeZone,
      one.enabled ? (one.nextRunAt ?? "never") : "disabled",
      one.lastRun?.startedAt ?? "never",
      lastOutcome(one),
    ]);
    const head = ["NAME", "WHEN", "CRON", "TIME ZONE", "NEXT", "LAST", "OUTCOME"];
    const none = `${name} has no schedules. They stand in isola.yaml, as \`schedules\`.`;
    const text = items.length === 0 ? none : table(head, rows);
    return { json: { items }, text, paint: paintStates };
  },
};

const runCommand: Command = {
  usage: "run <name> <schedule>",
  isOfProject: true,
  summary: "Run a schedule now, with its event; shows what `isola invoke` shows",
  details: [
    "A disabled schedule runs, too. The moments that it is due at stay as they are, and so does its last run in the list.",
  ],
  positionals: {
    name: nameHelp,
    schedule: { help: "its name; `isola schedules list` has them" },
  },
  examples: [{ line: "isola schedules run report nightly", says: "waits for its end" }],
  json: "what the API answers",
  async run(context, [name = "", schedule = ""]) {
    const { client, signal } = context;
    try {
      return invokedResult(context, await client.runSchedule(name, schedule, { signal }));
    } catch (error) {
      throw await orNearNames(error, context, { name, schedule });
    }
  },
};

export const schedulesCommands: CommandGroup = {
  name: "schedules",
  summary: "The schedules of a function: list them, run one now",
  default: "list",
  details: ["More: [schedules.md](schedules.md)."],
  commands: [listCommand, runCommand],
};

/** Of a schedule that the function has not: the names that are near, in place of all. Any other error as it is. */
async function orNearNames(
  error: unknown,
  { client, signal }: Context,
  { name, schedule }: { name: string; schedule: string },
): Promise<unknown> {
  if (!(error instanceof ApiError) || error.code !== "not_found") return error;
  const items = await client.listSchedules(name, { signal }).then(
    (found) => found.items,
    () => [], // the error that is being told matters more
  );
  const names = items.map((one) => one.name);
  if (names.length === 0 || names.includes(schedule)) return error;
  const list = `; \`isola schedules list ${name}\` lists those that there are`;
  const message = `there is no schedule ${schedule} of the function ${name}${didYouMean(schedule, names) || list}`;
  const { status, code, requestId } = error;
  return new ApiError(message, { status, code, requestId, cause: error });
}

function lastOutcome({ lastRun }: ScheduleView): string {
  if (lastRun === null) return "";
  return lastRun.outcome ?? "running";
}
