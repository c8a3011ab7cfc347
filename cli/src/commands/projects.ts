import type { PatchProject, ProjectView } from "@isola/api/projects";
import { textOption } from "../arguments.ts";
import { type Command, type Context, type Options, type Result, usageFailure } from "../command.ts";
import { collectPages } from "../pages.ts";
import { table } from "../printable.ts";

type Action = (context: Context, name: string, options: Options) => Promise<Result>;

/** What each action does, and the flags that it takes. */
const actions: Record<string, { takes: readonly string[]; run: Action }> = {
  create: { takes: ["description", "driver"], run: create },
  show: { takes: [], run: show },
  update: { takes: ["description", "driver"], run: update },
  delete: { takes: ["yes"], run: remove },
};

export const projectsCommand: Command = {
  usage: "projects [action] [name]",
  summary: "Tenants: list, create, show, update or delete them",
  options: [
    { flags: "--description <text>", help: "create, update: for people" },
    {
      flags: "--driver <driver>",
      help: "create, update: of functions that are created without one; `none`: the server's default",
    },
    { flags: "--yes", help: "delete: without asking" },
  ],
  async run(context, [asked = "list", name], { json: _json, ...options }) {
    if (asked === "list") {
      if (name !== undefined) throw usageFailure("projects list takes no name; show does");
      refuseFlags(asked, options, []);
      return list(context);
    }
    const action = Object.hasOwn(actions, asked) ? actions[asked] : undefined;
    if (action === undefined) {
      const known = ["list", ...Object.keys(actions)].join(", ");
      throw usageFailure(`projects takes ${known}, given: ${asked}`);
    }
    if (name === undefined) throw usageFailure(`projects ${asked} needs the name of a project`);
    refuseFlags(asked, options, action.takes);
    return action.run(context, name, options);
  },
};

async function list({ client, signal }: Context): Promise<Result> {
  const items = await collectPages((page) => client.listProjects(page, { signal }));
  const rows = items.map((one) => [one.name, shownDriver(one), one.url, one.description]);
  return { json: { items }, text: table(["NAME", "DRIVER", "URL", "DESCRIPTION"], rows) };
}

async function create(context: Context, name: string, options: Options): Promise<Result> {
  // The server checks the driver: what a person wrote is sent as it is.
  const made = await context.client.createProject({ name, ...membersOf(options) });
  return { json: made, text: `${name}: created, functions answer below ${made.url}` };
}

async function show({ client }: Context, name: string): Promise<Result> {
  const project = await client.getProject(name);
  const rows = Object.entries(project).map(([member, value]) => [member, String(value)]);
  return { json: project, text: table(["SETTING", "VALUE"], rows) };
}

async function update({ client }: Context, name: string, options: Options): Promise<Result> {
  const change = membersOf(options);
  if (Object.keys(change).length === 0)
    throw usageFailure("projects update needs --description or --driver");
  const { etag } = await client.getProject(name);
  const changed = await client.patchProject(name, change, { ifMatch: etag });
  return { json: changed, text: `${name}: driver ${shownDriver(changed)}; its functions stay` };
}

async function remove(context: Context, name: string, options: Options): Promise<Result> {
  const { etag } = await context.client.getProject(name);
  if (options.yes !== true) {
    const answer = await context.confirm(`Delete ${name}? Its name is not given again.`);
    if (answer === null) throw usageFailure("There is nobody to ask: add --yes to delete");
    if (!answer) throw usageFailure("Nothing was deleted");
  }
  const deleted = await context.client.deleteProject(name, { ifMatch: etag });
  return { json: deleted, text: `${name}: deleted` };
}

function membersOf(options: Options): PatchProject {
  const description = textOption(options, "description");
  const driver = textOption(options, "driver");
  return {
    ...(description !== undefined && { description }),
    ...(driver !== undefined && { driver: driver === "none" ? null : driver }),
  } as PatchProject;
}

function refuseFlags(action: string, options: Options, taken: readonly string[]): void {
  const wrong = Object.keys(options).find((name) => !taken.includes(name));
  if (wrong !== undefined) throw usageFailure(`projects ${action} takes no --${wrong}`);
}

function shownDriver({ driver }: ProjectView): string {
  return driver ?? "the server's default";
}
