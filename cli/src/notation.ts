import type { Command, CommandGroup, Option } from "./command.ts";

export type Entry = Command | CommandGroup;

export function isGroup(entry: Entry): entry is CommandGroup {
  return "commands" in entry;
}

export function nameOf(entry: Entry): string {
  return isGroup(entry) ? entry.name : (entry.usage.split(" ")[0] as string);
}

export interface Place {
  /** `dir` of `[dir]` */
  name: string;
  isNeeded: boolean;
  /** Takes all that follows. */
  isMany: boolean;
}

/** The positionals of a command's `usage`. */
export function placesOf({ usage }: Command): Place[] {
  return usage
    .split(" ")
    .slice(1)
    .map((text) => ({
      name: text.slice(1, -1).replace(/\.\.\.$/, ""),
      isNeeded: text.startsWith("<"),
      isMany: text.endsWith("...]") || text.endsWith("...>"),
    }));
}

export interface Flag {
  option: Option;
  /** `--follow` */
  long: string;
  /** `-f` */
  short: string | null;
  /** `<n>`; null: it takes no value. */
  value: string | null;
  /** `memoryMib` of `--memory-mib`, `check` of `--no-check`. */
  member: string;
  isNegated: boolean;
}

export const jsonOption: Option = { flags: "--json", help: "print JSON for machines" };
const projectOption: Option = {
  flags: "--project <name>",
  help: "whose functions are meant",
  completes: "project",
};
export const contextOption: Option = {
  flags: "--context <name>",
  help: "the server to call, of `isola context list`",
  completes: "context",
};
export const helpOption: Option = { flags: "-h, --help", help: "show this" };

/** Every flag that a command takes, its own first. */
export function flagsOf(command: Command): Flag[] {
  if (command.isPassThrough) return [];
  const shared = [
    ...(command.isOfProject ? [projectOption] : []),
    ...(command.isLocal ? [] : [contextOption]),
    jsonOption,
    helpOption,
  ];
  return [...(command.options ?? []), ...shared].map(flagOf);
}

export function flagOf(option: Option): Flag {
  const parts = /^(?:(-\w), )?(--[a-z0-9-]+)(?: (<[^>]+>))?$/.exec(option.flags);
  if (parts === null) throw new Error(`flags are like "-f, --follow <n>", not ${option.flags}`);
  const [, short = null, long = "", value = null] = parts;
  const isNegated = long.startsWith("--no-") && value === null;
  const words = long.slice(isNegated ? 5 : 2);
  const member = words.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { option, long, short, value, member, isNegated };
}
