import { setTimeout as delay } from "node:timers/promises";
import type { LogView } from "@isola/api/invocations";
import { integerOption, textOption } from "../arguments.ts";
import type { Command, Context } from "../command.ts";
import { collectPages } from "../pages.ts";

const POLL_MS = 1000;
/** Lines reach the store up to a second late and not in order; so much of the past is read again on each poll. */
const OVERLAP_MS = 5000;
const LINES_PER_POLL_MAX = 10_000;

export const logsCommand: Command = {
  usage: "logs <name>",
  isOfProject: true,
  summary: "Show what a function wrote",
  options: [
    { flags: "--limit <n>", help: "the newest lines, at most this many (default 100)" },
    { flags: "--invocation <id>", help: "only of this invocation" },
    { flags: "--contains <text>", help: "only lines with this text" },
    { flags: "--follow", help: "go on with new lines until Ctrl-C; with --json one object a line" },
  ],
  async run(context, [name = ""], options) {
    const limit = integerOption(options, "limit", "--limit") ?? 100;
    const invocation = textOption(options, "invocation");
    const contains = textOption(options, "contains");
    const filter = { ...(invocation && { invocation }), ...(contains && { contains }) };
    const newest = await collectPages(
      (page) => context.client.listLogs(name, { ...filter, order: "newest", ...page }),
      limit,
    );
    const lines = newest.reverse();
    if (options.follow !== true) return { json: { items: lines }, text: textOf(lines) };
    for (const line of lines) context.emit({ json: line, text: shownLog(line) });
    await follow(context, lines, (since) =>
      collectPages(
        (page) => context.client.listLogs(name, { ...filter, since, order: "oldest", ...page }),
        LINES_PER_POLL_MAX,
      ),
    );
    return { json: undefined, text: "" };
  },
};

/** Prints lines that were not there at the poll before, until the person has enough. */
async function follow(
  context: Context,
  shown: readonly LogView[],
  read: (since: number) => Promise<LogView[]>,
): Promise<void> {
  const from = Date.parse(shown.at(-1)?.at ?? "1970-01-01");
  let newestAt = from;
  let seen = countsOf(shown);
  while (!context.signal.aborted) {
    const lines = await read(Math.max(from, newestAt - OVERLAP_MS));
    const known = new Map(seen);
    seen = countsOf(lines);
    for (const line of lines) {
      newestAt = Math.max(newestAt, Date.parse(line.at));
      const key = keyOf(line);
      const left = known.get(key) ?? 0;
      known.set(key, left - 1);
      if (left <= 0) context.emit({ json: line, text: shownLog(line) });
    }
    await delay(POLL_MS, undefined, { signal: context.signal }).catch(() => {}); // Ctrl-C ends the loop
  }
}

/** How often each line occurs: a function may write the same twice within a millisecond. */
function countsOf(lines: readonly LogView[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(keyOf(line), (counts.get(keyOf(line)) ?? 0) + 1);
  return counts;
}

function keyOf({ at, sandboxId, invocationId, stream, text }: LogView): string {
  return JSON.stringify([at, sandboxId, invocationId, stream, text]);
}

function textOf(lines: readonly LogView[]): string {
  return lines.length === 0 ? "No lines." : lines.map(shownLog).join("\n");
}

export function shownLog({ at, invocationId, stream, level, text, truncated }: LogView): string {
  const kind = level === "none" ? stream : level;
  return `${at} ${kind} ${invocationId ?? "-"} ${text}${truncated ? " (cut)" : ""}`;
}
