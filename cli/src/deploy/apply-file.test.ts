import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestServer } from "../../../server/test/harness.ts";
import { runIsola } from "../../test/run-isola.ts";
import { markFolder } from "./package-digest.ts";

const server = new TestServer();
const root = mkdtempSync(join(tmpdir(), "isola-apply-"));
const fns = "/api/v1/functions";
const code = (text: string) => `export const handler = async () => "${text}";\n`;

before(() => server.start());
after(async () => {
  await server.dispose();
  rmSync(root, { recursive: true });
});

/** A folder of its own, in which the command runs. */
function place(name: string) {
  const dir = join(root, name);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  const run = (argv: string[], more: { env?: object; signal?: AbortSignal } = {}) => {
    const env = { ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey, ...more.env };
    return runIsola(argv, { env, cwd: dir, ...(more.signal && { signal: more.signal }) });
  };
  const isola = (...argv: string[]) => run(argv);
  mkdirSync(dir);
  return { dir, write, run, isola };
}

const get = async (name: string) => (await server.api("GET", `${fns}/${name}`)).json;

describe("a deploy of isola.yaml", () => {
  test("makes one revision of new code and new settings, and tells the files without values of env", async () => {
    const { dir, write, isola } = place("one");
    write("isola.yaml", "functions: { one: { env: { TOKEN: abc, GONE: x }, code: src } }");
    write("src/index.mjs", code("a"));
    write("src/old.txt", "12345");
    assert.equal((await isola("deploy")).exitCode, 0);
    const first = await get("one");
    assert.equal(first.codeDigest, (await markFolder(join(dir, "src"))).digest);
    const changed = "functions: { one: { env: { TOKEN: xyz, ADDED: secret }, code: src } }";
    write("isola.yaml", changed);
    write("src/index.mjs", code("bb"));
    rmSync(join(dir, "src/old.txt"));
    write("src/lib/new.txt", "1");
    const drift = await isola("deploy", "--check");
    assert.equal(drift.exitCode, 4);
    const lines = [
      "one: update",
      "  + env.ADDED: <6 characters>",
      "  - env.GONE: <1 characters>",
      "  ~ env.TOKEN: <3 characters> -> <3 characters>, others",
      /  ~ code: 2 files, \d+ bytes -> 2 files, \d+ bytes/.exec(drift.stdout)?.[0],
      /      ~ index\.mjs \(\d+ -> \d+ bytes\)/.exec(drift.stdout)?.[0],
      "      + lib/new.txt (1 bytes)",
      "      - old.txt (5 bytes)",
      "",
    ];
    assert.equal(drift.stdout, lines.join("\n"));
    const json = await isola("deploy", "--check", "--json");
    assert.doesNotMatch(json.stdout, /secret|xyz|abc/);
    assert.match((await isola("deploy", "--check", "--show-values")).stdout, /TOKEN: abc -> xyz/);
    const applied = await isola("deploy", "--yes");
    assert.equal(applied.exitCode, 0);
    assert.match(applied.stdout, /one: updated, revision 2/);
    const now = await get("one");
    assert.deepEqual([now.latestRevision, now.env], [2, { TOKEN: "xyz", ADDED: "secret" }]);
    assert.equal((await isola("deploy", "--check")).exitCode, 0);
  });

  test("finds no difference in schedules that leave out what is the default, and tells each that there is", async () => {
    const { write, isola } = place("jobs");
    const file = (rest: string) =>
      `functions: { jobs: { schedules: [{ name: nightly, cron: "0 3  * * *"${rest} }] } }`;
    write("isola.yaml", file(""));
    write("index.mjs", code("a"));
    assert.equal((await isola("deploy")).exitCode, 0);
    assert.equal((await isola("deploy", "--check")).exitCode, 0);
    write("isola.yaml", file(", timeZone: UTC, enabled: true"));
    assert.equal((await isola("deploy", "--check")).exitCode, 0);
    write("isola.yaml", file(", event: { x: -0 }"));
    assert.equal((await isola("deploy", "--yes")).exitCode, 0);
    assert.equal((await isola("deploy", "--check")).exitCode, 0);
    write("isola.yaml", file(""));
    assert.equal((await isola("deploy", "--yes")).exitCode, 0);
    for (const [rest, line] of [
      [", enabled: false", "  ~ schedules.nightly.enabled: true -> false"],
      [", timeZone: Europe/Berlin", "  ~ schedules.nightly.timeZone: UTC -> Europe/Berlin"],
      [", event: null", "  ~ schedules.nightly.event: a scheduled event -> null"],
      ["}, { name: b, cron: '@daily', event: [1]", "  + schedules.b: @daily UTC, event [1]"],
    ] as const) {
      write("isola.yaml", file(rest));
      const drift = await isola("deploy", "--check");
      assert.equal(drift.exitCode, 4, rest);
      assert.equal(drift.stdout, `jobs: update\n${line}\n`);
    }
    write("isola.yaml", "functions: { jobs: { schedules: [] } }");
    const gone = (await isola("deploy", "--check")).stdout;
    assert.equal(gone, "jobs: update\n  - schedules.nightly: 0 3 * * * UTC\n");
    const two = (...names: string[]) => {
      const schedules = names.map((name) => `{ name: ${name}, cron: "@daily" }`);
      write("isola.yaml", `functions: { jobs: { schedules: [${schedules.join(", ")}] } }`);
    };
    two("a", "b");
    assert.equal((await isola("deploy", "--yes")).exitCode, 0);
    two("b", "a");
    assert.match((await isola("deploy", "--check")).stdout, /~ schedules: a, b -> b, a$/m);
  });

  test("compares what a key that may only read can see, and says what it cannot", async () => {
    const { write, run, isola } = place("reader");
    write("isola.yaml", "functions: { reader: { env: { TOKEN: abc } } }");
    write("index.mjs", code("a"));
    await isola("deploy");
    const body = { name: "ci", scopes: ["read"] };
    const { key } = (await server.api("POST", "/api/v1/keys", body)).json;
    write("isola.yaml", "functions: { reader: { env: { TOKEN: other } } }");
    const check = await run(["deploy", "--check"], { env: { ISOLA_API_KEY: key } });
    assert.equal(check.exitCode, 0);
    assert.match(check.stdout, /as deployed\n {2}\(1 values of env not compared/);
  });

  test("deletes with --prune what its application has and the file does not name, and nothing else", async () => {
    const { write, isola } = place("shop");
    for (const name of ["cart", "pay", "mail"]) write(`${name}/index.mjs`, code(name));
    const file = (...names: string[]) => {
      const functions = names.map((name) => `  ${name}: { code: ${name} }\n`);
      return `functions:\n${functions.join("")}`;
    };
    write("isola.yaml", file("cart"));
    const nameless = await isola("deploy", "--prune", "--yes");
    assert.equal(nameless.exitCode, 2);
    assert.match(nameless.stderr, /give the isola\.yaml a `name`/);
    write("isola.yaml", `name: shop\n${file("cart", "pay")}`);
    await isola("deploy", "--yes");
    assert.deepEqual((await get("cart")).labels, { "isola.app": "shop" });
    await server.deploy("stranger", { "index.mjs": code("s") });
    write("isola.yaml", `name: shop\n${file("mail", "pay")}`);
    assert.match((await isola("deploy", "--check")).stdout, /mail: create/);
    const asked = await isola("deploy", "--prune");
    assert.equal(asked.exitCode, 2);
    assert.match(asked.stderr, /cart: delete, with its 1 revisions\n.*nobody to ask/);
    const pruned = await isola("deploy", "--prune", "--yes");
    assert.equal(pruned.exitCode, 0, pruned.stderr);
    assert.match(pruned.stdout, /cart: deleted/);
    assert.equal((await server.api("GET", `${fns}/cart`)).status, 404);
    assert.equal((await get("stranger")).name, "stranger");
    assert.equal((await isola("deploy", "--prune", "--check")).exitCode, 0);
  });

  test("takes a function of another application only with --adopt, and keeps the label on a deploy of a folder", async () => {
    const { write, isola } = place("owners");
    write("isola.yaml", "name: first\nfunctions: { owned: { labels: { tier: web } } }");
    write("index.mjs", code("a"));
    await isola("deploy");
    write("isola.yaml", "name: second\nfunctions: { owned: {} }");
    const refused = await isola("deploy", "--yes");
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /owned belongs to the application first, and .* of second: --adopt/,
    );
    write("isola.yaml", "functions: { owned: {} }");
    assert.match((await isola("deploy", "--yes")).stderr, /has no `name`: --adopt/);
    write("owned/index.mjs", code("b"));
    assert.equal((await isola("deploy", "owned", "--label", "a=b", "--yes")).exitCode, 0);
    assert.deepEqual((await get("owned")).labels, { a: "b", "isola.app": "first" });
    write("isola.yaml", "name: second\nfunctions: { owned: {} }");
    assert.equal((await isola("deploy", "--adopt", "--yes")).exitCode, 0);
    assert.deepEqual((await get("owned")).labels, { a: "b", "isola.app": "second" });
  });

  test("goes on after one that fails, says what was done, deletes nothing, and finishes the next time", async () => {
    const { write, isola } = place("half");
    for (const name of ["half-a", "half-b", "half-c"]) write(`${name}/index.mjs`, code(name));
    write("isola.yaml", "name: half\nfunctions: { half-c: { code: half-c } }");
    await isola("deploy");
    const file = (handler: string) =>
      `name: half\nfunctions:\n  half-a: { code: half-a, handler: ${handler} }\n  half-b: { code: half-b }\n`;
    write("isola.yaml", file("/etc/passwd"));
    const half = await isola("deploy", "--prune", "--yes");
    assert.equal(half.exitCode, 1);
    assert.match(
      half.stdout,
      /half-a: failed: isola\.yaml:3: functions\.half-a\.handler: expected/,
    );
    assert.match(half.stdout, /half-b: created, revision 1/);
    assert.match(half.stdout, /half-c: not tried: something else has failed\nDeploy again/);
    write("isola.yaml", file("index.handler"));
    const whole = await isola("deploy", "--prune", "--yes", "--json");
    assert.equal(whole.exitCode, 0);
    const { functions } = JSON.parse(whole.stdout) as { functions: { action: string }[] };
    const actions = functions.map(({ action }) => action);
    assert.deepEqual(actions, ["created", "unchanged", "deleted"]);
  });

  test("hands a route from one function to another, whichever stands first, and from one that goes", async () => {
    const { write, isola } = place("routes");
    write("index.mjs", code("a"));
    const fn = (name: string, route: string) => `  ${name}: { route: ${route} }\n`;
    const file = (...lines: string[]) => `name: routes\nfunctions:\n${lines.join("")}`;
    write("isola.yaml", file(fn("ra", "null"), fn("rb", "{ path: /handed }")));
    assert.equal((await isola("deploy")).exitCode, 0);
    write("isola.yaml", file(fn("ra", "{ path: /handed }"), fn("rb", "null")));
    const handed = await isola("deploy", "--yes");
    assert.equal(handed.exitCode, 0, handed.stdout);
    write("isola.yaml", file(fn("rc", "{ path: /handed }"), fn("rb", "null")));
    const renamed = await isola("deploy", "--prune", "--yes");
    assert.equal(renamed.exitCode, 0, renamed.stdout);
    assert.equal((await get("rc")).route.path, "/handed");
  });

  test("stops between functions at Ctrl-C, and says which were not tried", async () => {
    const { write, run } = place("stopped");
    const names = ["stop-a", "stop-b", "stop-c"];
    write("index.mjs", code("a"));
    write("isola.yaml", `functions:\n${names.map((name) => `  ${name}: {}\n`).join("")}`);
    const ctrlC = new AbortController();
    const watch = (async () => {
      while ((await server.api("GET", `${fns}/stop-a`)).status !== 200);
      ctrlC.abort();
    })();
    const { exitCode } = await run(["deploy"], { signal: ctrlC.signal });
    await watch;
    const made = await Promise.all(
      names.map(async (name) => (await server.api("GET", `${fns}/${name}`)).status === 200),
    );
    // Wherever it was stopped, what was made is a beginning, and whole.
    assert.equal(made[0], true);
    assert.ok(exitCode === 130 || made.every(Boolean));
    const again = await run(["deploy", "--yes"]);
    assert.equal(again.exitCode, 0);
  });

  test("of two at once leaves the function as one of them wants it", async () => {
    const sides = ["left", "right"].map((side) => {
      const made = place(`race-${side}`);
      made.write("isola.yaml", `functions: { race: { env: { SIDE: ${side} } } }`);
      made.write("index.mjs", code(side));
      return made;
    });
    const results = await Promise.all(sides.map(({ isola }) => isola("deploy", "--yes")));
    assert.ok(results.some(({ exitCode }) => exitCode === 0));
    for (const { exitCode, stderr } of results)
      if (exitCode !== 0) assert.match(stderr, /race|If-Match/);
    const answer = (await server.call("/race")).text;
    assert.equal(answer, (await get("race")).env.SIDE);
  });

  test("plans many functions with one folder, and tells of a folder that changes meanwhile", async () => {
    const { write, run, isola } = place("many");
    write("index.mjs", code("a"));
    const names = Array.from({ length: 40 }, (_, n) => `many-${n}`);
    const file = (memory: number) =>
      `defaults: { memoryMiB: ${memory} }\nfunctions:\n${names.map((name) => `  ${name}: {}\n`).join("")}`;
    write("isola.yaml", file(128));
    assert.equal((await isola("deploy")).exitCode, 0);
    assert.equal((await isola("deploy", "--check")).exitCode, 0);
    write("isola.yaml", file(256));
    write("index.mjs", code("b"));
    const deploying = run(["deploy", "--yes"]);
    while ((await get("many-0")).latestRevision === 1);
    write("index.mjs", code("c"));
    const { exitCode, stdout } = await deploying;
    if (exitCode !== 0) assert.match(stdout, /has changed since it was compared/);
    assert.equal((await isola("deploy", "--yes")).exitCode, 0);
    const last = await get("many-39");
    assert.equal((await server.call("/many-39")).text, "c");
    assert.equal(last.memoryMiB, 256);
  });

  test("is refused whole where the server is not there", async () => {
    const { write, run } = place("away");
    write("index.mjs", code("a"));
    write("isola.yaml", "functions: { away-a: {}, away-b: {} }");
    const { exitCode, stderr } = await run(["deploy"], {
      env: { ISOLA_URL: "http://127.0.0.1:1" },
    });
    assert.equal(exitCode, 3);
    assert.match(stderr, /The address is from ISOLA_URL/);
  });
});
