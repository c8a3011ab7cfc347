import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { candidatesOf } from "./completion/candidates.ts";
import { helpText } from "./help.ts";
import { flagsOf, isGroup, nameOf, placesOf } from "./notation.ts";
import { parseLine } from "./parse-line.ts";

function each(): [path: string, command: Command][] {
  return commands.flatMap((entry) =>
    isGroup(entry)
      ? entry.commands.map((verb): [string, Command] => [`${entry.name} ${nameOf(verb)}`, verb])
      : [[nameOf(entry), entry] as [string, Command]],
  );
}

/** As a shell has them, up to where the line goes on with another program or a file. */
function wordsOf(line: string): string[] {
  const words = line.replace(/ [<>|] .*$/, "").match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
}

describe("every command", () => {
  test("has a name of its own", () => {
    const paths = each().map(([path]) => path);
    assert.deepEqual(paths, [...new Set(paths)]);
    for (const path of paths) assert.match(path, /^[a-z]+( [a-z]+)?$/);
  });

  test("that answers says what --json prints", () => {
    for (const [path, { isPassThrough, json = "" }] of each())
      assert.equal(json === "", isPassThrough === true, path);
  });

  test("tells what its arguments are, and no others", () => {
    for (const [path, command] of each()) {
      const places = placesOf(command).map(({ name }) => name);
      assert.deepEqual(Object.keys(command.positionals ?? {}).sort(), places.sort(), path);
    }
  });

  test("has flags that no other flag of it hides", () => {
    for (const [path, command] of each()) {
      const flags = flagsOf(command);
      const names = flags.flatMap(({ long, short }) => (short === null ? [long] : [long, short]));
      assert.deepEqual(names, [...new Set(names)], path);
      const members = flags.map(({ member }) => member);
      assert.deepEqual(members, [...new Set(members)], path);
    }
  });

  test("has a summary without a full stop, examples that can be parsed, and a help that fits", () => {
    for (const [path, command] of each()) {
      assert.doesNotMatch(command.summary, /\.$/, path);
      for (const { line } of command.examples ?? []) {
        if (!line.startsWith("isola ")) continue; // an eval of it
        assert.equal(parseLine(commands, wordsOf(line).slice(1)).kind, "run", line);
      }
      const [name = ""] = path.split(" ");
      const entry = commands.find((one) => nameOf(one) === name) ?? null;
      for (const columns of [20, 80, 400])
        for (const shown of [entry, command])
          for (const line of helpText(commands, { path, entry: shown, columns }).split("\n"))
            assert.ok(line.length <= 120, `${path}: ${line}`);
    }
  });

  test("and its flags are offered by completion", () => {
    const rows = candidatesOf(commands);
    for (const [path, command] of each()) {
      const words = rows.get(`${path}:flags`)?.map(({ word }) => word);
      assert.deepEqual(
        words,
        flagsOf(command).map(({ long }) => long),
        path,
      );
    }
  });
});
