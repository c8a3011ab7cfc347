import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

const handler = 'export const handler = async () => "hi";';

describe("isola deploy", () => {
  test("makes a function of a folder, named for it, its language guessed", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("greet/index.mjs", handler);
    const { exitCode, stdout } = await isola("deploy", "greet");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^greet: created, revision 1, http/);
    const kept = api.functions.get("greet");
    assert.equal(kept?.view.runtime, "nodejs26");
    assert.deepEqual([...(kept?.code.keys() ?? [])], ["index.mjs"]);
  });

  test("changes nothing the second time, and --check agrees with exit code 0", async (t) => {
    const { api, dir, write, isola } = await workplace(t);
    write("greet/index.mjs", handler);
    write(`greet/${"deep/".repeat(24)}file.txt`, "a path above 100 bytes");
    write("greet/run.sh", "#!/bin/sh\n");
    chmodSync(join(dir, "greet/run.sh"), 0o755);
    await isola("deploy", "greet", "--memory-mib", "256", "--env", "A=1", "--route", "/g/:id");
    api.calls.length = 0;
    const again = ["deploy", "greet", "--memory-mib", "256", "--env", "A=1", "--route", "/g/:id"];
    const { exitCode, stdout } = await isola(...again);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^greet: unchanged, revision 1/);
    assert.ok(api.calls.every((call) => call.startsWith("GET ")));
    assert.equal((await isola(...again, "--check")).exitCode, 0);
  });

  test("--check says what differs, changes nothing, and exits 4", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("greet/index.mjs", handler);
    assert.equal((await isola("deploy", "greet", "--check")).exitCode, 4);
    await isola("deploy", "greet");
    write("greet/index.mjs", `${handler}\n`);
    api.calls.length = 0;
    const { exitCode, stdout } = await isola("deploy", "greet", "--timeout-ms", "5", "--check");
    assert.equal(exitCode, 4);
    assert.match(stdout, /~ timeoutMs: 30000 -> 5\n {2}~ code: 1 files/);
    assert.ok(api.calls.every((call) => call.startsWith("GET ")));
  });

  test("changes an existing function only after a yes", async (t) => {
    const { write, isola } = await workplace(t);
    write("greet/index.mjs", handler);
    await isola("deploy", "greet");
    write("greet/index.mjs", `${handler}\n`);
    const unasked = await isola("deploy", "greet");
    assert.equal(unasked.exitCode, 2);
    assert.match(unasked.stderr, /~ code: [\s\S]*nobody to ask: add --yes/);
    const { exitCode, stdout } = await isola("deploy", "greet", "--yes", "--json");
    assert.equal(exitCode, 0);
    const { functions } = JSON.parse(stdout) as {
      functions: { action: string; revision: number }[];
    };
    assert.deepEqual([functions[0]?.action, functions[0]?.revision], ["updated", 2]);
  });

  test("applies isola.yaml: settings, code folders, several functions", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("isola.yaml", yaml);
    write("src/app.py", "def handler(event, context): pass");
    write("web/index.mjs", handler);
    const { exitCode } = await isola("deploy");
    assert.equal(exitCode, 0);
    const thumbnails = api.functions.get("thumbnails")?.view;
    assert.deepEqual(thumbnails?.route, { methods: ["POST"], path: "/thumbnails" });
    assert.deepEqual(thumbnails?.env, { QUALITY: "80" });
    assert.deepEqual([...(api.functions.get("web")?.code.keys() ?? [])], ["index.mjs"]);
    assert.equal((await isola("deploy", "--check")).exitCode, 0);
    const one = await isola("deploy", "--name", "web", "--json");
    assert.equal((JSON.parse(one.stdout) as { functions: unknown[] }).functions.length, 1);
  });

  test("refuses unknown keys of isola.yaml all together, and flags beside it", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("isola.yaml", "functions:\n  a: { memory: 1 }\n  b: { tiemoutMs: 1 }\nfunction: {}\n");
    const { exitCode, stderr } = await isola("deploy");
    assert.equal(exitCode, 2);
    assert.match(
      stderr,
      /line 2: functions\.a\.memory: is unknown; did you mean memoryMiB\?[\s\S]*line 3: functions\.b\.tiemoutMs: .* timeoutMs.*\?[\s\S]*line 4: function: .* functions\?/,
    );
    write("isola.yaml", "functions: { a: {} }\n");
    assert.match((await isola("deploy", "--memory-mib", "256")).stderr, /leave out .*--memory-mib/);
    assert.deepEqual(api.calls, []);
  });

  test("asks for the language where the folder does not tell", async (t) => {
    const { write, isola } = await workplace(t);
    write("both/index.mjs", handler);
    write("both/app.py", "");
    const { exitCode, stderr } = await isola("deploy", "both");
    assert.equal(exitCode, 2);
    assert.match(stderr, /--runtime nodejs or --runtime python/);
  });

  test("packs what belongs to the function and nothing else", async (t) => {
    const { api, dir, write, isola } = await workplace(t);
    for (const path of [
      "index.mjs",
      "node_modules/x/index.js",
      "node_modules/.bin/x",
      ".git/config",
      "data/admin-key",
      "data/node-id",
      "notes.secret",
      "build/keep.js",
      "build/drop.js",
    ]) {
      write(`f/${path}`, path);
    }
    write("f/.isolaignore", "# private\n*.secret\n/build/drop.js\n");
    symlinkSync("index.mjs", join(dir, "f/linked.mjs"));
    assert.equal((await isola("deploy", "f")).exitCode, 0);
    assert.deepEqual(
      [...(api.functions.get("f")?.code.keys() ?? [])],
      ["build/keep.js", "index.mjs", "linked.mjs", "node_modules/x/index.js"],
    );
    mkdirSync(join(dir, "elsewhere"));
    symlinkSync("../elsewhere", join(dir, "f/folder"));
    const { exitCode, stderr } = await isola("deploy", "f");
    assert.equal(exitCode, 1);
    assert.match(stderr, /f\/folder is neither a file nor a folder/);
  });

  test("refuses names that an archive would read as folders, and more than a package takes", async (t) => {
    const { api, write, dir, isola } = await workplace(t);
    write("f/index.mjs", handler);
    write("f/a\\b", "");
    assert.match((await isola("deploy", "f")).stderr, /a\\b has a backslash in its name/);
    rmSync(join(dir, "f/a\\b"));
    writeFileSync(join(dir, "f/large.bin"), randomBytes(51 * 1_048_576));
    const { exitCode, stderr } = await isola("deploy", "f");
    assert.equal(exitCode, 1);
    assert.match(stderr, /f has 53\d{6} bytes when packed, and a package takes 52428800/);
    assert.equal(api.functions.size, 0);
  });

  test("refuses an isola.yaml that is no file", async (t) => {
    const { dir, write, isola } = await workplace(t);
    write("index.mjs", handler);
    symlinkSync("/dev/zero", join(dir, "isola.yaml"));
    const { exitCode, stderr } = await isola("deploy");
    assert.equal(exitCode, 2);
    assert.match(stderr, /isola\.yaml cannot be read: expected a file, given something else/);
  });

  test("refuses a folder that is not there or empty", async (t) => {
    const { dir, isola } = await workplace(t);
    assert.equal((await isola("deploy", "nowhere")).exitCode, 2);
    mkdirSync(join(dir, "empty"));
    assert.match((await isola("deploy", "empty")).stderr, /holds no file/);
  });

  test("refuses a file, and says what to do with an archive", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("README.md", "# f");
    write("f.tar.gz", "");
    const file = await isola("deploy", "README.md");
    assert.equal(file.exitCode, 2);
    assert.match(file.stderr, /README\.md is a file .*: name the folder it is in\n$/);
    assert.match((await isola("deploy", "f.tar.gz")).stderr, /unpack it .*PUT .*\/code\n$/);
    write("isola.yaml", "functions: { a: { code: README.md } }\n");
    assert.match((await isola("deploy")).stderr, /README\.md is a file/);
    assert.deepEqual(api.calls, []);
  });

  test("names what the server refuses as it was written: the flag, or its place in isola.yaml", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("f/index.mjs", handler);
    api.refused = ["memoryMiB", "route.methods[0]", "path.name"];
    const flags = (await isola("deploy", "f", "--name", "F")).stderr;
    assert.match(flags, /^isola: --memory-mib: exp.*\n {2}--methods: exp.*\n {2}--name: exp/);
    write("f/isola.yaml", "functions: { g: { runtime: nodejs } }\n");
    const file = (await isola("deploy", "f")).stderr;
    assert.match(file, /^isola: isola\.yaml:1: functions\.g\.memoryMiB: expected at least 128/);
    assert.match(file, /\n {2}isola\.yaml:1: functions\.g: expected/);
    assert.match((await isola("get", "F")).stderr, /\n {2}the name: expected/);
  });

  test("takes auto and none where a setting does, and no other words", async (t) => {
    const { write, isola } = await workplace(t);
    write("f/index.mjs", handler);
    const flags = ["--idle-timeout-ms", "auto", "--concurrency-target", "none"];
    const { exitCode } = await isola("deploy", "f", ...flags, "--reserved-concurrency", "5");
    assert.equal(exitCode, 0);
    const { stdout } = await isola("get", "f", "--json");
    const { idleTimeoutMs, concurrencyTarget, reservedConcurrency } = JSON.parse(stdout);
    assert.deepEqual([idleTimeoutMs, concurrencyTarget, reservedConcurrency], ["auto", null, 5]);
    const wrong = await isola("deploy", "f", "--timeout-ms", "auto");
    assert.match(wrong.stderr, /--timeout-ms takes a whole number, given: auto/);
  });

  test("refuses a number that is none before it calls", async (t) => {
    const { api, write, isola } = await workplace(t);
    write("f/index.mjs", handler);
    const { exitCode, stderr } = await isola("deploy", "f", "--timeout-ms", "1s");
    assert.equal(exitCode, 2);
    assert.match(stderr, /--timeout-ms takes a whole number, given: 1s/);
    assert.deepEqual(api.calls, []);
  });
});

const yaml = `functions:
  thumbnails:
    runtime: python
    handler: app.handler
    code: ./src
    route: { methods: [POST], path: /thumbnails }
    memoryMiB: 256
    env: { QUALITY: "80" }
  web:
    runtime: nodejs
    code: ./web
`;
