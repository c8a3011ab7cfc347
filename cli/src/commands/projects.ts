import { driverNames } from "@isola/api/limits";
import type { PatchProject, ProjectView } from "@isola/api/projects";
import { textOption } from "../arguments.ts";
import {
  type Command,
  type CommandGroup,
  type Option,
  type Options,
  usageFailure,
} from "../command.ts";
import { collectPages } from "../pages.ts";
import { table } from "../printable.ts";

const nameHelp = { help: "of the project", completes: "project" } as const;
const memberOptions: readonly Option[] = [
  { flags: "--description <text>", help: "for people" },
  {
    flags: "--driver <driver>",
    help: "of functions that are created without one; `none`: the server's default",
    completes: [...driverNames, "none"],
  },
];

const listCommand: Command = {
  usage: "list",
  summary: "List projects",
  json: "`items` of the API",
  async run({ client, signal }) {
    const items = await collectPages((page) => client.listProjects(page, { signal }));
    const rows = items.map((one) => [one.name, shownDriver(one), one.url, one.description]);
    return { json: { items }, text: table(["NAME", "DRIVER", "URL", "DESCRIPTION"], rows) };
  },
};

const createCommand: Command = {
  usage: "create <name>",
  summary: "Create a project",
  positionals: { name: { help: "of the new project; it is given once" } },
  options: memberOptions,
  examples: [
    { line: "isola projects create team-a --driver gvisor", says: "with a driver of its own" },
  ],
  json: "the project, as the API has it",
  async run({ client }, [name = ""], options) {
    // The server checks the driver: what a person wrote is sent as it is.
    const made = await client.createProject({ name, ...membersOf(options) });
    return { json: made, text: `${name}: created, functions answer below ${made.url}` };
  },
};

const showCommand: Command = {
  usage: "show <name>",
  summary: "Show a project",
  positionals: { name: nameHelp },
  json: "the project, as the API has it",
  async run({ client }, [name = ""]) {
    const project = await client.getProject(name);
    const rows = Object.entries(project).map(([member, value]) => [member, String(value)]);
    return { json: project, text: table(["SETTING", "VALUE"], rows) };
  },
};

const updateCommand: Command = {
  usage: "update <name>",
  summary: "Change a project; its functions stay as they are",
  positionals: { name: nameHelp },
  options: memberOptions,
  json: "the project, as the API has it",
  async run({ client }, [name = ""], options) {
    const change = membersOf(options);
    if (Object.keys(change).length === 0)
      throw usageFailure("projects update needs --description or --driver");
    const { etag } = await client.getProject(name);
    const changed = await client.patchProject(name, change, { ifMatch: etag });
    return { json: changed, text: `${name}: driver ${shownDriver(changed)}; its functions stay` };
  },
};

const deleteCommand: Command = {
  usage: "delete <name>",
  summary: "Delete a project without functions and keys",
  positionals: { name: nameHelp },
  options: [{ flags: "--yes", help: "without asking" }],
  json: "what the API answers: `name`",
  async run(context, [name = ""], options) {
    const { etag } = await context.client.getProject(name);
    if (options.yes !== true) {
      const answer = await context.confirm(`Delete ${name}? Its name is not given again.`);
      if (answer === null) throw usageFailure("There is nobody to ask: add --yes to delete");
      if (!answer) throw usageFailure("Nothing was deleted");
    }
    const deleted = await context.client.deleteProject(name, { ifMatch: etag });
    return { json: deleted, text: `${name}: deleted` };
  },
};

export const projectsCommands: CommandGroup = {
  name: "projects",
  summary: "Tenants: list, create, show, update or delete them",
  default: "list",
  commands: [listCommand, createCommand, showCommand, updateCommand, deleteCommand],
};

function membersOf(options: Options): PatchProject {
  const description = textOption(options, "description");
  const driver = textOption(options, "driver");
  return {
    ...(description !== undefined && { description }),
    ...(driver !== undefined && { driver: driver === "none" ? null : driver }),
  } as PatchProject;
}

function shownDriver({ driver }: ProjectView): string {
  return driver ?? "the server's default";
}
