import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { workplace } from "../../test/run-isola.ts";

const key = {
  ...{ id: "abc", name: "ci\u001b", scopes: ["read", "deploy"], project: "team-a" },
  ...{ createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null, lastUsedAt: null, revokedAt: null },
};
const page = (...items: unknown[]) => ({ items, nextCursor: null });

describe("isola keys", () => {
  test("create prints the key alone to stdout, and asks for what the flags say", async (t) => {
    const { api, isola } = await workplace(t);
    api.answers["POST /api/v1/keys"] = { ...key, key: "isola_abc_secret" };
    const flags = ["--scope", "read", "--scope", "deploy", "--project", "team-a"];
    const made = await isola("keys", "create", "ci", ...flags, "--expires", "90d");
    assert.equal(made.stdout, "isola_abc_secret\n");
    assert.match(
      made.stderr,
      /^abc: read, deploy, for project team-a\. The key is shown this once/,
    );
    const { expiresAt, ...sent } = api.sent as { expiresAt: string };
    assert.deepEqual(sent, { name: "ci", scopes: ["read", "deploy"], project: "team-a" });
    const daysAhead = (Date.parse(expiresAt) - Date.now()) / 86_400_000;
    assert.ok(daysAhead > 89 && daysAhead <= 90, String(daysAhead));
    for (const wrong of ["90", "2020-01-01", "soon", "999999999d"])
      assert.equal(
        (await isola("keys", "create", "ci", "--scope", "read", "--expires", wrong)).exitCode,
        2,
      );
    assert.match((await isola("keys", "create", "ci")).stderr, /needs --scope/);
  });

  test("list shows no secret, revoke asks and takes an id", async (t) => {
    const { api, isola } = await workplace(t);
    const gone = { ...key, id: "def", revokedAt: key.createdAt };
    const old = { ...key, id: "old", expiresAt: key.createdAt };
    api.answers["GET /api/v1/keys"] = page(key, gone, old);
    api.answers["DELETE /api/v1/keys/abc"] = gone;
    const { stdout } = await isola("keys", "--project", "team-a");
    assert.equal(api.query.get("project"), "team-a");
    assert.match(stdout, /^abc +ci\\x1b +read,deploy +team-a +\S+ +never +works$/m);
    assert.match(stdout, /^def .* revoked$/m);
    assert.match(stdout, /^old .* expired$/m);
    assert.match((await isola("keys", "revoke", "abc")).stderr, /add --yes/);
    assert.equal((await isola("keys", "revoke", "abc", "--yes")).exitCode, 0);
    api.calls = [];
    const whole = await isola("keys", "revoke", "isola_abc_secret", "--yes");
    assert.equal(whole.exitCode, 2);
    assert.ok(!whole.stderr.includes("secret"));
    assert.deepEqual(api.calls, []);
  });
});

describe("isola revisions, builds and system", () => {
  test("show what the API has", async (t) => {
    const { api, isola, write } = await workplace(t);
    write("f/index.mjs", "export const handler = () => 1;");
    await isola("deploy", "f");
    const at = key.createdAt;
    const revision = { revision: 2, isLive: true, reason: "code", createdAt: at, createdBy: "abc" };
    const { answers } = api;
    answers["GET /api/v1/functions/f/revisions"] = page({
      ...revision,
      ...{ codeBytes: 2048, codeDigest: `sha256:${"ab".repeat(32)}` },
    });
    assert.match(
      (await isola("revisions", "f")).stdout,
      /^\* +2 +code +2026\S+ +abc +2048 +abababababab\n`isola rollback f/m,
    );
    const build = { id: "b", isCached: false, runtime: "nodejs26", driver: "process" };
    answers["GET /api/v1/functions/f/builds"] = page(
      {
        ...build,
        state: "failed",
        message: "no\nlockfile",
        output: ["\u001bnpm"],
        startedAt: at,
      },
      { ...build, state: "ok", isCached: true, message: null, output: [], startedAt: at },
    );
    const builds = (await isola("builds", "f", "--output")).stdout;
    assert.match(builds, /failed +nodejs26 +process +no\n/);
    assert.match(builds, /ok \(was there\)/);
    assert.match(builds, /\n\\x1bnpm\n$/);
    answers["GET /api/v1/system"] = {
      ...{ version: "1", gatewayUrl: "http://g", uptimeMs: 1500, traces: null },
      ...{ logs: { lines: 1, bytes: 2, tails: 3 }, gateway: null },
    };
    assert.match((await isola("system")).stdout, /^gateway +does not answer$/m);
  });

  test("what does not exist is told with the names that are near", async (t) => {
    const { isola, write } = await workplace(t);
    write("hello/index.mjs", "export const handler = () => 1;");
    await isola("deploy", "hello");
    const near = await isola("get", "helo");
    assert.equal(near.exitCode, 1);
    assert.match(near.stderr, /no function helo; did you mean hello\?/);
    assert.match((await isola("get", "zzzzzz")).stderr, /`isola list` lists those that there are/);
    const project = await isola("projects", "show", "nope");
    assert.match(project.stderr, /`isola projects` lists/);
  });
});
