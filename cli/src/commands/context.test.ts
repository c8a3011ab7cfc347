import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { fakeKey, startFakeApi } from "../../test/fake-api.ts";
import { runIsola, workplace } from "../../test/run-isola.ts";

async function place(t: TestContext) {
  const { api, dir, write } = await workplace(t);
  const file = join(dir, ".config/isola/contexts.json");
  const run = (argv: string[], env: NodeJS.ProcessEnv = {}, stdin = "") =>
    runIsola(argv, { env, cwd: dir, stdin });
  const isola = (...argv: string[]) => run(argv);
  const add = (name: string, ...more: string[]) =>
    run(["context", "add", name, api.url, "--key", "-", ...more], {}, `${fakeKey}\n`);
  const stored = () => JSON.parse(readFileSync(file, "utf8")) as { current: string | null };
  return { api, dir, file, write, run, isola, add, stored };
}

describe("isola context", { timeout: 60_000 }, () => {
  test("adds, lists, uses, shows and removes servers, and shows no key", async (t) => {
    const { api, file, isola, run, add, stored } = await place(t);
    assert.match((await isola("context")).stdout, /^No contexts/);
    const added = await add("prod", "--project", "team-a");
    assert.equal(added.exitCode, 0, added.stderr);
    assert.match(added.stdout, /isola context use prod/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(file)).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(dirname(file)), ["contexts.json"]);
    assert.equal((await isola("context", "use", "prod")).exitCode, 0);
    const outputs = [
      await isola("context", "list"),
      await isola("context", "list", "--json"),
      await isola("context", "show"),
      await isola("context", "show", "--json"),
      added,
    ];
    assert.match(outputs[0]?.stdout ?? "", /^\* +prod +http\S+ +team-a +isola_test_\.\.\.$/m);
    assert.match(outputs[2]?.stdout ?? "", /^key +isola_test_\.\.\. \(from context prod\)$/m);
    for (const { stdout, stderr } of outputs) assert.ok(!`${stdout}${stderr}`.includes(fakeKey));
    assert.equal((await isola("list")).exitCode, 0);
    assert.equal(api.projectsAsked.at(-1), "team-a");
    assert.equal((await run(["list"], { ISOLA_PROJECT: "two" })).exitCode, 0);
    assert.equal(api.projectsAsked.at(-1), "two");
    assert.equal((await isola("context", "use", "--none")).exitCode, 0);
    assert.equal(stored().current, null);
    assert.match((await isola("context", "rm", "prod")).stderr, /add --yes/);
    assert.equal((await isola("context", "rm", "prod", "--yes")).exitCode, 0);
    assert.match((await isola("context")).stdout, /^No contexts/);
  });

  test("adds no server that does not answer or refuses the key, but with --no-check", async (t) => {
    const { api, file, isola, run } = await place(t);
    const wrong = await run(["context", "add", "a", api.url, "--key", "isola_x_secret"]);
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /does not accept the key\n {2}Nothing was added; --no-check/);
    assert.ok(!wrong.stderr.includes("isola_x_secret"));
    await api.close();
    const away = await isola("context", "add", "a", api.url);
    assert.equal(away.exitCode, 3);
    assert.ok(!existsSync(file));
    assert.equal((await isola("context", "add", "a", api.url, "--no-check")).exitCode, 0);
    const again = await isola("context", "add", "a", "http://192.0.2.1", "--no-check");
    assert.match(again.stderr, /there is a context a already/);
    const replaced = ["context", "add", "a", "http://192.0.2.1:1/", "--no-check", "--replace"];
    assert.match((await isola(...replaced, "--key", "k")).stderr, /not encrypted/);
    assert.match(readFileSync(file, "utf8"), /"http:\/\/192\.0\.2\.1:1"/);
  });

  test("refuses names, addresses and keys that are none, repeating none of what may be a secret", async (t) => {
    const { file, isola, run } = await place(t);
    for (const argv of [
      ["-", "http://a"],
      ["__proto__", "http://a"],
      ["a", "s3cret"],
      ["a", "ftp://s3cret"],
      ["a", "http://u:s3cret@host"],
      ["a", "http://host/?key=s3cret"],
      ["a", "http://host", "--key", "two s3cret words"],
      ["a", "http://host", "s3cret"],
    ]) {
      const { exitCode, stderr } = await isola("context", "add", ...argv, "--no-check");
      assert.equal(exitCode, 2, argv.join(" "));
      assert.ok(!stderr.includes("s3cret"), stderr);
    }
    const empty = await run(["context", "add", "a", "http://host", "--key", "-", "--no-check"]);
    assert.equal(empty.exitCode, 2);
    assert.ok(!existsSync(file));
    assert.match((await isola("context", "use", "a")).stderr, /no context a/);
    assert.equal((await isola("context", "use")).exitCode, 2);
  });

  test("--context wins over ISOLA_URL, that over ISOLA_CONTEXT, ISOLA_DATA over the current one", async (t) => {
    const { api, run, isola, add, write } = await place(t);
    const other = await startFakeApi();
    t.after(() => other.close());
    await add("here", "--use");
    await run(["context", "add", "other", other.url, "--key", fakeKey]);
    write("data/api-url", other.url);
    write("data/admin-key", fakeKey);
    const reached = async (argv: string[], env: NodeJS.ProcessEnv = {}) => {
      [api.calls, other.calls] = [[], []];
      const { exitCode, stderr } = await run(["list", ...argv], env);
      assert.equal(exitCode, 0, stderr);
      return api.calls.length > 0 ? "here" : "other";
    };
    assert.equal(await reached([]), "here");
    assert.equal(await reached(["--context", "other"]), "other");
    assert.equal(await reached([], { ISOLA_CONTEXT: "other" }), "other");
    assert.equal(await reached([], { ISOLA_DATA: "data" }), "other");
    const env = { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey, ISOLA_CONTEXT: "other" };
    assert.equal(await reached([], env), "here");
    assert.equal(await reached(["--context", "other"], env), "other");
    assert.equal(await reached(["--context=other"], { ISOLA_API_KEY: "wrong" }), "other");
    const unknown = await isola("list", "--context", "ohter");
    assert.equal(unknown.exitCode, 2);
    assert.match(unknown.stderr, /no context ohter \(--context\); did you mean other\?/);
  });

  test("sends a context's key to its own address alone, and the data folder's to no context", async (t) => {
    const { api, run, add, write } = await place(t);
    const other = await startFakeApi();
    t.after(() => other.close());
    await add("here", "--use");
    const elsewhere = await run(["list"], { ISOLA_URL: other.url, ISOLA_CONTEXT: "here" });
    assert.equal(elsewhere.exitCode, 1);
    assert.match(elsewhere.stderr, /no admin key in/);
    write("data/admin-key", fakeKey);
    await run(["context", "add", "bare", api.url]);
    const bare = await run(["list", "--context", "bare"]);
    assert.equal(bare.exitCode, 1);
    assert.match(bare.stderr, /context bare has no key/);
    const env = { ISOLA_API_KEY: fakeKey };
    assert.equal((await run(["list", "--context", "bare"], env)).exitCode, 0);
  });

  test("a file that is damaged, that others may read, or that is none is refused and left as it is", async (t) => {
    const { file, isola, add } = await place(t);
    await add("prod", "--use");
    const good = readFileSync(file, "utf8");
    for (const text of [
      `${good.slice(0, -9)}`,
      "",
      "[]",
      '{"current":"x","contexts":{}}',
      '{"current":null,"contexts":{"a":{}}}',
      '{"current":null,"contexts":{"a":{"url":"http://a","apiKey":1}}}',
      '{"current":null,"contexts":{"../a":{"url":"http://a"}}}',
    ]) {
      writeFileSync(file, text);
      for (const argv of [["list"], ["context"], ["context", "use", "--none"]]) {
        const { exitCode, stderr } = await isola(...argv);
        assert.equal(exitCode, 1, `${argv.join(" ")} with ${text}`);
        assert.match(stderr, /contexts\.json is damaged: /);
        assert.ok(!stderr.includes(fakeKey), stderr);
      }
      assert.equal(readFileSync(file, "utf8"), text);
    }
    writeFileSync(file, good);
    chmodSync(file, 0o640);
    const open = await isola("list");
    assert.equal(open.exitCode, 1);
    assert.match(open.stderr, /others may reach it \(mode 640\): chmod 600 /);
    chmodSync(file, 0o600);
    assert.equal((await isola("list")).exitCode, 0);
    renameSync(file, `${file}.real`);
    mkdirSync(file);
    assert.match((await isola("list")).stderr, /is no file/);
  });

  test("a link in the place of the file stays a link", async (t) => {
    const { dir, file, isola, add } = await place(t);
    await add("prod");
    renameSync(file, join(dir, "dotfile"));
    symlinkSync(join(dir, "dotfile"), file);
    assert.equal((await isola("context", "use", "prod")).exitCode, 0);
    assert.ok(lstatSync(file).isSymbolicLink());
    assert.match(readFileSync(join(dir, "dotfile"), "utf8"), /"current": "prod"/);
  });

  test("many that change it at once lose nothing", async (t) => {
    const { isola, dir } = await place(t);
    const names = Array.from({ length: 20 }, (_, at) => `c${at}`);
    const url = "http://127.0.0.1:1";
    const outcomes = await Promise.all(
      names.map((name) => isola("context", "add", name, url, "--no-check")),
    );
    for (const { exitCode, stderr } of outcomes) assert.equal(exitCode, 0, stderr);
    const { stdout } = await isola("context", "list", "--json");
    assert.equal((JSON.parse(stdout) as { items: unknown[] }).items.length, names.length);
    assert.deepEqual(readdirSync(join(dir, ".config/isola")), ["contexts.json"]);
  });
});
