import type { Command, CommandGroup, Completes } from "../command.ts";
import { type Entry, type Flag, flagsOf, isGroup, nameOf, placesOf } from "../notation.ts";
import { contextOption, flagOf, helpOption, jsonOption } from "../notation.ts";

/** A word that may stand in a place, or `@function` for names of that kind. */
export interface Candidate {
  word: string;
  says: string;
}

/**
 * What may stand where, by keys that a shell's script builds as it reads a line: `:words` the commands, `projects:words` the verbs, `projects:usual` what runs
 * without a verb; of a command (`projects create`, `list`): `:flags`, `:--driver` for the values of a flag (without words: anything), `:1` for the first positional,
 * `:*` for all from the last on.
 */
export type Candidates = ReadonlyMap<string, readonly Candidate[]>;

export function candidatesOf(entries: readonly Entry[]): Candidates {
  const rows = new Map<string, readonly Candidate[]>();
  rows.set(":words", [
    ...entries.map((entry) => ({ word: nameOf(entry), says: entry.summary })),
    { word: "help", says: "Show what a command takes" },
  ]);
  const leading = [contextOption, jsonOption, helpOption].map(flagOf);
  rows.set(":flags", flagWords([...leading, flagOf({ flags: "--version", help: "" })]));
  rows.set(":--context", [{ word: "@context", says: "" }]);
  rows.set(
    "help:1",
    entries.map((entry) => ({ word: nameOf(entry), says: entry.summary })),
  );
  for (const entry of entries) {
    if (isGroup(entry)) addGroup(rows, entry);
    else addCommand(rows, nameOf(entry), entry);
  }
  return rows;
}

function addGroup(rows: Map<string, readonly Candidate[]>, group: CommandGroup): void {
  const words = group.commands.map((verb) => ({ word: nameOf(verb), says: verb.summary }));
  rows.set(`${group.name}:words`, words);
  if (group.default !== undefined)
    rows.set(`${group.name}:usual`, [{ word: `${group.name} ${group.default}`, says: "" }]);
  for (const verb of group.commands) addCommand(rows, `${group.name} ${nameOf(verb)}`, verb);
}

function addCommand(rows: Map<string, readonly Candidate[]>, path: string, command: Command): void {
  const flags = flagsOf(command);
  rows.set(`${path}:flags`, flagWords(flags));
  for (const { long, short, value, option } of flags) {
    if (value === null) continue;
    for (const name of short === null ? [long] : [long, short])
      rows.set(`${path}:${name}`, wordsOf(option.completes));
  }
  const places = placesOf(command);
  for (const [at, { name, isMany }] of places.entries()) {
    const words = wordsOf(command.positionals?.[name]?.completes);
    if (words.length === 0) continue;
    rows.set(`${path}:${at + 1}`, words);
    if (isMany) rows.set(`${path}:*`, words);
  }
}

function flagWords(flags: readonly Flag[]): Candidate[] {
  return flags.map(({ long, option }) => ({ word: long, says: option.help }));
}

function wordsOf(completes: Completes | undefined): Candidate[] {
  if (completes === undefined) return [];
  if (typeof completes === "string") return [{ word: `@${completes}`, says: "" }];
  return completes.map((word) => ({ word, says: "" }));
}
