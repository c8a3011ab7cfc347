import type { EventListQuery, EventView } from "@isola/api/events";
import { eventKinds, severities } from "@isola/api/limits";
import { listOption, textOption } from "../arguments.ts";
import type { Command, Options } from "../command.ts";
import { listOrFollow } from "../follow.ts";
import { printableLine } from "../printable.ts";

const EVENTS_DEFAULT = 50;

export const eventsCommand: Command = {
  usage: "events",
  isOfProject: true,
  summary: "Show what happened to the platform: deploys, scaling, kills, restarts",
  details: [
    "What was left out because it was not read fast enough is told in its place. More: [events.md](events.md).",
  ],
  examples: [{ line: "isola events -f --severity warn", says: "what goes wrong, as it happens" }],
  json: "`items` of the API; with `--follow` one object a line, `dropped` (a number) where some were left out",
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
      completes: eventKinds,
    },
    { flags: "--function <name>", help: "only of this function", completes: "function" },
    { flags: "--severity <severity>", help: "at least info, warn or error", completes: severities },
    { flags: "--since <moment>", help: "from then on: 10m, 2h, 3d (ago), or a date and time" },
    { flags: "--until <moment>", help: "before then" },
  ],
  async run(context, _args, options) {
    const filter = filterOf(options);
    return await listOrFollow<EventView>(context, options, {
      limit: EVENTS_DEFAULT,
      none: "No events.",
      page: (more) => context.client.listEvents({ ...filter, ...more }),
      tail: (opening) => context.client.tailEvents(filter, opening),
      text: shown,
    });
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
