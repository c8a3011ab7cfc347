import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fakeKey } from "../test/fake-api.ts";
import { runIsola, workplace } from "../test/run-isola.ts";

const answer = {
  id: "inv-1",
  revision: 1,
  outcome: "ok",
  error: null,
  status: 200,
  headers: [],
  body: "hello \u001b]0;title\u0007\n",
  bodyBase64: null,
  startKind: "warm",
  phases: { queueMs: 0.1, startMs: null, initMs: null, runMs: 2.25 },
  logs: [],
};

async function withFunction(t: Parameters<typeof workplace>[0]) {
  const place = await workplace(t);
  place.write("f/index.mjs", "export const handler = () => 1;");
  assert.equal((await place.isola("deploy", "f")).exitCode, 0);
  return place;
}

describe("isola", () => {
  test("exits 2 on a command, flag or argument that it does not know", async (t) => {
    const { api, isola } = await workplace(t);
    for (const argv of [["nope"], ["list", "--nope"], ["get"], ["get", "a", "b"], []]) {
      assert.equal((await isola(...argv)).exitCode, 2, argv.join(" "));
    }
    assert.deepEqual(api.calls, []);
  });

  test("shows help and version with exit code 0", async (t) => {
    const { isola } = await workplace(t);
    const help = await isola("--help");
    assert.equal(help.exitCode, 0);
    for (const name of ["up", "deploy", "invoke", "list", "get", "logs", "env", "rollback", "rm"]) {
      assert.match(help.stdout, new RegExp(`^  ${name} `, "m"));
    }
    assert.match((await isola("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.match((await isola("deploy", "--help")).stdout, /--memory-mib <n> +128 to 10240/);
  });

  test("exits 3 when no server answers", async (t) => {
    const { api, dir } = await workplace(t);
    await api.close();
    const env = { ISOLA_URL: api.url, ISOLA_API_KEY: "k" };
    const list = await runIsola(["list"], { env, cwd: dir });
    assert.equal(list.exitCode, 3);
    assert.match(list.stderr, /does not answer/);
    const doctor = await runIsola(["doctor", "--json"], { env, cwd: dir });
    assert.equal(doctor.exitCode, 3);
    assert.deepEqual(JSON.parse(doctor.stdout), { url: api.url, isReady: false });
  });

  test("reads the admin key of the data folder where no key is given", async (t) => {
    const { api, dir, write } = await workplace(t);
    write("data/admin-key", `${fakeKey}\n`);
    write("other/admin-key", "isola_wrong_key\n");
    const run = (env: NodeJS.ProcessEnv) =>
      runIsola(["list"], { env: { ISOLA_URL: api.url, ...env }, cwd: dir });
    assert.equal((await run({})).exitCode, 0);
    const wrong = await run({ ISOLA_DATA: "other" });
    assert.equal(wrong.exitCode, 1);
    const key = join(dir, "other/admin-key");
    const refusal = `isola: the key from ${key} (ISOLA_DATA) is not accepted by ${api.url}\n`;
    assert.equal(wrong.stderr, refusal);
    const none = await run({ ISOLA_DATA: "nowhere", ISOLA_API_KEY: "" });
    assert.match(
      none.stderr,
      /no admin key in \S+nowhere\/admin-key \(ISOLA_DATA\); set ISOLA_API/,
    );
    const given = await run({ ISOLA_API_KEY: "isola_wrong" });
    assert.match(given.stderr, /the key from ISOLA_API_KEY is not accepted/);
  });

  test("finds the server of the data folder by its api-url, here or in the checkout", async (t) => {
    const { api, dir, write } = await workplace(t);
    write("co/data/admin-key", `${fakeKey}\n`);
    write("co/data/api-url", `${api.url}\n`);
    const checkoutData = join(dir, "co/data");
    const run = (cwd: string, env: NodeJS.ProcessEnv = {}) =>
      runIsola(["list"], { env, cwd, checkoutData });
    assert.equal((await run(join(dir, "co"))).exitCode, 0);
    assert.equal((await run(dir)).exitCode, 0);
    assert.equal((await run(dir, { ISOLA_DATA: "co/data", ISOLA_URL: "" })).exitCode, 0);
    await api.close();
    const gone = await run(dir);
    assert.equal(gone.exitCode, 3);
    assert.ok(gone.stderr.includes(`${api.url} does not answer`), gone.stderr);
    assert.ok(gone.stderr.includes(`from ${checkoutData}/api-url.`), gone.stderr);
    assert.match(gone.stderr, /set ISOLA_URL/);
  });

  test("does not follow the api-url of a folder that it only happens to be in", async (t) => {
    const { dir, write } = await workplace(t);
    write("data/api-url", "http://192.0.2.1:8081\n");
    const env = { ISOLA_API_KEY: fakeKey };
    const { exitCode, stderr } = await runIsola(["list"], { env, cwd: dir });
    assert.equal(exitCode, 2);
    assert.match(stderr, /api-url names another machine/);
  });

  test("says that ISOLA_URL is where functions are called", async (t) => {
    const { dir } = await workplace(t);
    const gateway = createServer((_request, response) => {
      response.statusCode = 404;
      response.end('{"error":{"code":"route_not_found","message":"no function answers"}}');
    });
    gateway.listen(0, "127.0.0.1");
    await once(gateway, "listening");
    t.after(() => gateway.close());
    const { port } = gateway.address() as AddressInfo;
    const env = { ISOLA_URL: `http://127.0.0.1:${port}`, ISOLA_API_KEY: fakeKey };
    const { exitCode, stderr } = await runIsola(["list"], { env, cwd: dir });
    assert.equal(exitCode, 1);
    assert.match(stderr, /perhaps it is where functions are called: ISOLA_URL takes the API/);
  });

  test("takes Ctrl-C at a question as a no, with exit code 130", async (t) => {
    const { api, dir } = await withFunction(t);
    const env = { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey };
    const stopped = await runIsola(["rm", "f"], { env, cwd: dir, typed: "\u0003" });
    assert.equal(stopped.exitCode, 130);
    assert.match(stopped.stderr, /Nothing was done/);
    const ended = await runIsola(["rm", "f"], { env, cwd: dir, typed: "\u0004" });
    assert.equal(ended.exitCode, 2);
    assert.equal(api.functions.size, 1);
    assert.equal((await runIsola(["rm", "f"], { env, cwd: dir, typed: "y\r" })).exitCode, 0);
  });

  test("refuses an ISOLA_URL that is none", async (t) => {
    const { dir } = await workplace(t);
    const { exitCode } = await runIsola(["list"], { env: { ISOLA_URL: "here" }, cwd: dir });
    assert.equal(exitCode, 2);
  });

  test("list, get, rollback and rm work on functions", async (t) => {
    const { api, isola } = await withFunction(t);
    assert.match((await isola("list")).stdout, /^NAME +RUNTIME.*\nf +nodejs26/);
    assert.match((await isola("get", "f")).stdout, /^memoryMiB +128$/m);
    assert.equal((await isola("get", "g")).exitCode, 1);
    await isola("env", "set", "f", "A=1");
    assert.equal((await isola("rollback", "f")).stdout, "f: revision 1 is live (was 2)\n");
    assert.equal((await isola("rollback", "f")).exitCode, 2);
    assert.equal((await isola("rollback", "f", "x")).exitCode, 2);
    assert.match((await isola("rm", "f")).stderr, /add --yes/);
    assert.equal((await isola("rm", "f", "--yes")).stdout, "f: deleted\n");
    assert.equal(api.functions.size, 0);
  });

  test("env sets, unsets and lists, and writes back only what it could read", async (t) => {
    const { api, isola } = await withFunction(t);
    await isola("env", "set", "f", "A=1", "B=x=y");
    assert.equal((await isola("env", "f")).stdout, "A=1\nB=x=y\n");
    await isola("env", "unset", "f", "A");
    assert.deepEqual(api.functions.get("f")?.view.env, { B: "x=y" });
    assert.match((await isola("env", "unset", "f", "A")).stderr, /f has no A/);
    assert.equal((await isola("env", "set", "f", "novalue")).exitCode, 2);
    Object.assign(api.functions.get("f")?.view ?? {}, { env: { B: null } });
    assert.match((await isola("env", "set", "f", "C=1")).stderr, /may not read the environment/);
  });

  test("invoke sends an HTTP request or an event", async (t) => {
    const { api, dir, write, isola } = await withFunction(t);
    api.answer = answer;
    await isola("invoke", "f", "--path", "/x?a=1", "--header", "x-a: b", "--data", "text");
    assert.deepEqual(api.invoked, {
      request: { path: "/x?a=1", headers: [["x-a", "b"]], body: "text" },
    });
    write("event.json", '{"n":1}');
    await isola("invoke", "f", "--event", "@event.json");
    assert.deepEqual(api.invoked, { event: { n: 1 } });
    const env = { ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey };
    const stdin = Buffer.from([0xff]).toString("latin1");
    await runIsola(["invoke", "f", "--event", "-"], { env, cwd: dir, stdin: "[1]" });
    assert.deepEqual(api.invoked, { event: [1] });
    assert.equal((await isola("invoke", "f", "--event", "{")).exitCode, 2);
    assert.equal((await isola("invoke", "f", "--event", "1", "--data", stdin)).exitCode, 2);
  });

  test("invoke shows the answer without letting it steer the terminal", async (t) => {
    const { api, isola } = await withFunction(t);
    api.answer = answer;
    const shown = await isola("invoke", "f");
    assert.equal(shown.exitCode, 0);
    assert.equal(shown.stdout, "hello \\x1b]0;title\\x07\n\n");
    assert.match(shown.stderr, /^200 ok, warm, revision 1, inv-1\nqueue 0\.1 ms, run 2\.3 ms\n$/);
    const json = await isola("invoke", "f", "--json");
    assert.deepEqual(JSON.parse(json.stdout), answer);
    assert.equal(json.stderr, "");
    const error = { code: "function_timeout", message: "too long", type: null, stack: null };
    api.answer = { ...answer, outcome: "timeout", status: 504, body: null, error };
    const failed = await isola("invoke", "f");
    assert.equal(failed.exitCode, 1);
    assert.equal(failed.stdout, "function_timeout: too long\n");
  });

  test("doctor names what works, what does not and what mends it", async (t) => {
    const { api, isola } = await workplace(t);
    const good = await isola("doctor");
    assert.equal(good.exitCode, 0);
    assert.match(good.stdout, /driver process: available, tier namespaces \(bubblewrap 0\.8\.0\)/);
    assert.match(good.stdout, /NO {2}memory: no cgroup \\x1b\[2J\n {2}fix: mount -t cgroup2/);
    api.isReady = false;
    const bad = await isola("doctor");
    assert.equal(bad.exitCode, 1);
    assert.match(bad.stdout, /not ready: The gateway does not answer/);
  });

  test("errors are one JSON object with --json", async (t) => {
    const { dir, isola } = await workplace(t);
    mkdirSync(join(dir, "empty"));
    const missing = await isola("get", "nope", "--json");
    const { error } = JSON.parse(missing.stdout) as { error: { code: string } };
    assert.equal(error.code, "not_found");
    assert.equal(missing.stderr, "");
    assert.match((await isola("deploy", "empty", "--json")).stdout, /"code": "failed"/);
  });
});
