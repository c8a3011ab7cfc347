import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fakeKey } from "../../test/fake-api.ts";
import { runIsola, workplace } from "../../test/run-isola.ts";

describe("isola projects", () => {
  test("creates, lists, shows, updates and deletes projects", async (t) => {
    const { api, isola } = await workplace(t);
    const made = await isola("projects", "create", "team-a", "--driver", "gvisor");
    assert.equal(made.exitCode, 0);
    assert.match(made.stdout, /^team-a: created, functions answer below \S+\/~team-a\n$/);
    assert.equal(api.projects.get("team-a")?.driver, "gvisor");
    const listed = await isola("projects");
    assert.match(listed.stdout, /^NAME +DRIVER +URL +DESCRIPTION\nteam-a +gvisor +http/);
    const none = ["--driver", "none", "--description", "the first"];
    const updated = await isola("projects", "update", "team-a", ...none);
    assert.equal(updated.stdout, "team-a: driver the server's default; its functions stay\n");
    const shown = await isola("projects", "show", "team-a", "--json");
    const { driver, description, etag } = JSON.parse(shown.stdout);
    assert.deepEqual([driver, description, etag], [null, "the first", '"v2"']);
    const unasked = await isola("projects", "delete", "team-a");
    assert.equal(unasked.exitCode, 2);
    assert.match(unasked.stderr, /nobody to ask: add --yes/);
    assert.equal((await isola("projects", "delete", "team-a", "--yes")).exitCode, 0);
    assert.equal(api.projects.size, 0);
    assert.equal((await isola("projects", "show", "team-a")).exitCode, 1);
  });

  test("exits 2 on an action, a name or a flag that does not belong there, and asks no server", async (t) => {
    const { api, isola } = await workplace(t);
    for (const [argv, words] of [
      [["nope"], /list, create, show, update or delete, given: nope/],
      [["constructor"], /given: constructor/],
      [["create"], /create needs the name: isola projects create <name>/],
      [["list", "x"], /list takes no arguments/],
      [["show", "x", "--driver", "docker"], /show takes no --driver/],
      [["delete", "x", "--description", "y"], /delete takes no --description/],
      [["update", "x"], /needs --description or --driver/],
    ] as const) {
      const { exitCode, stderr } = await isola("projects", ...argv);
      assert.equal(exitCode, 2, argv.join(" "));
      assert.match(stderr, words);
    }
    assert.deepEqual(api.calls, []);
  });
});

test("every command about functions names the project of --project, else of ISOLA_PROJECT", async (t) => {
  const { api, dir, write, isola } = await workplace(t);
  const phases = { queueMs: 0, startMs: null, initMs: null, runMs: 1 };
  api.answer = { status: 200, outcome: "ok", phases, logs: [], body: "1", bodyBase64: null };
  write("f/index.mjs", "export const handler = () => 1;");
  assert.equal((await isola("deploy", "f", "--project", "one")).exitCode, 0);
  for (const argv of [
    ["list"],
    ["get", "f"],
    ["logs", "f"],
    ["env", "set", "f", "A=1"],
    ["rollback", "f", "1"],
    ["invoke", "f", "--event", "1"],
    ["deploy", "f", "--yes", "--timeout-ms", "5"],
    ["rm", "f", "--yes"],
  ])
    await isola(...argv, "--project", "one");
  assert.ok(api.projectsAsked.length >= 12);
  assert.deepEqual(new Set(api.projectsAsked), new Set(["one"]));
  api.projectsAsked = [];
  const env = { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey };
  await runIsola(["list"], { env: { ...env, ISOLA_PROJECT: "two" }, cwd: dir });
  await runIsola(["list", "--project", "one"], { env: { ...env, ISOLA_PROJECT: "two" }, cwd: dir });
  await runIsola(["list"], { env, cwd: dir });
  assert.deepEqual(api.projectsAsked, ["two", "one", null]);
  assert.equal((await isola("doctor", "--project", "one")).exitCode, 2);
});
