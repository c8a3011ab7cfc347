import type { EventListQuery, EventView } from "@isola/api/events";
import { integerOption, listOption, textOption } from "../arguments.ts";
import { type Command, type Options, usageFailure } from "../command.ts";
import { follow } from "../follow.ts";
import { collectPages } from "../pages.ts";
import { printableLine } from "../printable.ts";
import { rangeOf } from "./logs.ts";

const EVENTS_DEFAULT = 50;

export const eventsCommand: Command = {
  usage: "events",
  summary: "Show what happened to the platform: deploys, scaling, kills, restarts",
  options: [
    {
      flags: "-f, --follow",
      help: "go on with new events until Ctrl-C; with --json one object a line",
    },
    {
      flags: "--limit <n>",
      help: `the newest events, at most this many (default ${EVENTS_DEFAULT})`,
    },
    {
      flags: "--kind <kind>",
      help: "only of this kind, as docs/events.md has them",
      isRepeatable: true,
    },
    { flags: "--function <name>", help: "only of this function" },
    { flags: "--severity <severity>", help: "at least info, warn or error" },
    { flags: "--since <moment>", help: "from then on: 10m, 2h, 3d (ago), or a date and time" },
    { flags: "--until <moment>", help: "before then" },
  ],
  async run(context, _args, options) {
    const limit = integerOption(options, "limit", "--limit") ?? EVENTS_DEFAULT;
    const filter = filterOf(options);
    const range = rangeOf(options);
    const list = async () => {
      const newest = await collectPages(
        (page) => context.client.listEvents({ ...filter, ...range, order: "newest", ...page }),
        limit,
      );
      return newest.reverse();
    };
    if (options.follow !== true) {
      const events = await list();
      return { json: { items: events }, text: events.map(shown).join("\n") || "No events." };
    }
    if (range.until !== undefined) throw usageFailure("--until and --follow exclude each other");
    const { signal } = context;
    await follow<EventView>(context, {
      open: (lastEventId) =>
        context.client.tailEvents(filter, { signal, ...(lastEventId && { lastEventId }) }),
      list,
      show: (event) => ({ json: event, text: shown(event) }),
    });
    return { json: undefined, text: "" };
  },
};

type Filter = Pick<EventListQuery, "kind" | "function" | "severity">;

function filterOf(options: Options): Filter {
  const kind = [...listOption(options, "kind")];
  const name = textOption(options, "function");
  const severity = textOption(options, "severity");
  return {
    // What is none of them the server names.
    ...(kind.length > 0 && { kind: kind as NonNullable<Filter["kind"]> }),
    ...(name && { function: name }),
    ...(severity && { severity: severity as Filter["severity"] & string }),
  };
}

/** One line, whatever is in it. */
function shown({ at, severity, kind, message }: EventView): string {
  return printableLine(`${at} ${severity} ${kind} ${message}`);
}
