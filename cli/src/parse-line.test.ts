import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Command, type CommandGroup, Failure, exitCodes } from "./command.ts";
import { nearest } from "./nearest.ts";
import { parseLine } from "./parse-line.ts";

const run = () => Promise.resolve({ json: null, text: "" });
const invoke: Command = {
  usage: "invoke <name> [rest...]",
  summary: "Call",
  options: [
    { flags: "-d, --data <text>", help: "body" },
    { flags: "--header <line>", help: "header", isRepeatable: true },
    { flags: "--no-check", help: "do not look" },
    { flags: "-f, --follow", help: "go on" },
  ],
  run,
};
const list: Command = { usage: "list", summary: "List", run };
const create: Command = {
  usage: "create <name>",
  summary: "Create",
  options: [{ flags: "--driver <name>", help: "driver" }],
  run,
};
const show: Command = { usage: "show [name]", summary: "Show", run };
const projects: CommandGroup = {
  name: "projects",
  summary: "Tenants",
  default: "list",
  commands: [list, create],
};
const env: CommandGroup = {
  name: "env",
  summary: "Env",
  default: "show",
  commands: [show, create],
};
const keys: CommandGroup = { name: "keys", summary: "Keys", commands: [list, create] };
const up: Command = { usage: "up [settings...]", summary: "Start", isPassThrough: true, run };
const entries = [invoke, projects, env, keys, up];

function parsed(...argv: string[]) {
  const result = parseLine(entries, argv);
  if (result.kind !== "run") return result;
  const { path, args, options } = result;
  return { path, args, options };
}

function refusal(...argv: string[]): string {
  try {
    parseLine(entries, argv);
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.exitCode, exitCodes.usage);
    return error.message;
  }
  return "";
}

describe("parseLine", () => {
  test("reads flags with a value behind them, joined, short, repeated and negated, anywhere", () => {
    const argv = ["invoke", "-f", "a", "--data=x=y", "--header", "b: c", "--header=d: e"];
    assert.deepEqual(parsed(...argv, "b", "--no-check"), {
      path: "invoke",
      args: ["a", "b"],
      options: { follow: true, data: "x=y", header: ["b: c", "d: e"], check: false },
    });
    assert.deepEqual(parsed("invoke", "a", "-dtext"), {
      path: "invoke",
      args: ["a"],
      options: { data: "text" },
    });
    assert.deepEqual(parsed("invoke", "--", "--data", "-"), {
      path: "invoke",
      args: ["--data", "-"],
      options: {},
    });
    assert.deepEqual(parsed("invoke", "a", "-d", "-", "-d", ""), {
      path: "invoke",
      args: ["a"],
      options: { data: "" },
    });
  });

  test("finds the verb of a group, its usual verb where none is named, and flags before both", () => {
    const made = { path: "projects create", args: ["a"], options: { driver: "docker" } };
    assert.deepEqual(parsed("projects", "create", "a", "--driver", "docker"), made);
    const listed = { path: "projects list", args: [], options: { json: true } };
    for (const argv of [
      ["projects", "--json"],
      ["--json", "projects"],
      ["--json", "projects", "list"],
      ["projects", "--json", "list"],
    ])
      assert.deepEqual(parsed(...argv), listed, argv.join(" "));
    assert.deepEqual(parsed("env", "a"), { path: "env show", args: ["a"], options: {} });
  });

  test("hands everything to a command that parses for itself", () => {
    const argv = ["--help", "--data=x", "--", "-z"];
    assert.deepEqual(parsed("up", ...argv), { path: "up", args: argv, options: {} });
  });

  test("understands every way to ask for help", () => {
    for (const [argv, path] of [
      [["help"], ""],
      [["--help"], ""],
      [["help", "projects"], "projects"],
      [["projects", "-h"], "projects"],
      [["projects", "create", "--help"], "projects create"],
      [["help", "projects", "create"], "projects create"],
      [["--help", "projects", "create"], "projects create"],
      [["invoke", "--help"], "invoke"],
      [["help", "up"], "up"],
    ] as const) {
      const result = parseLine(entries, argv);
      assert.equal(result.kind, "help", argv.join(" "));
      assert.deepEqual(result.kind === "help" && [result.path, result.isAsked], [path, true]);
    }
    const bare = parseLine(entries, ["keys"]);
    assert.deepEqual(bare.kind === "help" && [bare.path, bare.isAsked], ["keys", false]);
  });

  test("names what is near to a word or flag that is unknown", () => {
    assert.equal(refusal("invok"), "there is no command invok; did you mean invoke?");
    assert.match(refusal("zzz"), /there is no command zzz; `isola help` lists them/);
    assert.match(refusal("constructor"), /no command/);
    assert.equal(
      refusal("projects", "craete", "a"),
      "projects takes list or create, given: craete; did you mean create?",
    );
    assert.match(
      refusal("invoke", "a", "--haeder=x"),
      /takes no --haeder; did you mean --header\?/,
    );
    assert.match(refusal("projects", "--driver", "x"), /isola projects create does/);
    assert.match(refusal("env", "f", "create", "A"), /the verb comes first: isola env create/);
    assert.match(refusal("env", "craete", "f", "A"), /^env takes .*given: craete; did you mean/);
    assert.match(refusal("help", "projects", "nope"), /takes list or create/);
  });

  test("repeats no value of a flag and no argument that is too many", () => {
    const secret = "s3cr3t";
    for (const argv of [
      ["invoke", "a", `--dta=${secret}`],
      ["invoke", "a", `--follow=${secret}`],
      ["invoke", "a", `-k${secret}`],
      ["projects", "create", "a", secret],
      ["invoke", "a", "--data", "--header", secret],
      [`--key=${secret}`, "list"],
    ]) {
      const message = refusal(...argv);
      assert.notEqual(message, "", argv.join(" "));
      assert.ok(!message.includes(secret), message);
    }
  });

  test("says what is missing", () => {
    assert.equal(refusal("invoke"), "invoke needs the name: isola invoke <name> [rest...]");
    assert.equal(refusal("invoke", "a", "--data"), "--data takes a value: --data <text>");
    assert.match(
      refusal("invoke", "a", "--data", "--follow"),
      /takes a value, and --follow follows/,
    );
  });
});

describe("nearest", () => {
  test("finds swapped, missing and wrong letters and beginnings, and nothing that is far", () => {
    const names = ["list", "logs", "deploy", "invoke", "invocations"];
    assert.deepEqual(nearest("lsit", names), ["list"]);
    assert.deepEqual(nearest("dploy", names), ["deploy"]);
    assert.deepEqual(nearest("invocat", names), ["invocations"]);
    assert.deepEqual(nearest("xyzzy", names), []);
    assert.deepEqual(nearest("a".repeat(100_000), names), []);
  });
});
