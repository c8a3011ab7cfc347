import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { codeOf, RecoveringServer } from "../recovery/recovering-server.ts";

const cli = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));
const fns = "/api/v1/functions";
const fewBlanks = { ISOLA_BLANK_NODEJS: "0", ISOLA_BLANK_PYTHON: "0" };

function isola(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

function tempDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-backup-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Calls and deploys until it is ended; resolves with how often each was done. */
function load(server: RecoveringServer): () => Promise<{ calls: number; deploys: number }> {
  const stop = new AbortController();
  const count = { calls: 0, deploys: 0 };
  const call = async () => {
    for (; !stop.signal.aborted; count.calls += 1)
      assert.equal((await server.call("/hello")).status, 200);
  };
  const deploy = async () => {
    for (; !stop.signal.aborted; count.deploys += 1) {
      const code = codeOf(`busy-${count.deploys}`, 20_000);
      const put = await server.api("PUT", `${fns}/busy/code`, code);
      assert.equal(put.status, 200, put.text);
    }
  };
  const all = Promise.all([call(), call(), deploy()]);
  return async () => {
    stop.abort();
    await all;
    return count;
  };
}

interface Facts {
  hello: unknown;
  revisions: unknown;
  projects: unknown;
  keys: unknown;
}

/** What the API tells of things that the load does not change. */
async function factsOf(server: RecoveringServer): Promise<Facts> {
  const ask = async (path: string) => (await server.api("GET", path)).json;
  const { url: _, urls: __, ...hello } = await ask(`${fns}/hello`);
  const unused = (key: object) => ({ ...key, lastUsedAt: null });
  return {
    hello,
    revisions: (await ask(`${fns}/hello/revisions`)).items,
    projects: (await ask("/api/v1/projects")).items.map((one: { name: string }) => one.name),
    keys: (await ask("/api/v1/keys")).items.map(unused),
  };
}

describe("a backup", () => {
  test("of a server under load brings functions, revisions, projects, keys and records back on another folder", async (t) => {
    const server = new RecoveringServer(fewBlanks);
    t.after(() => server.dispose());
    await server.begin();
    await server.deploy("hello", codeOf("first").files, { env: { GEN: "gen-1" } });
    await server.api("PUT", `${fns}/hello/code`, codeOf("second"));
    await server.deploy("busy", codeOf("busy").files);
    await server.api("POST", "/api/v1/projects", { name: "other" });
    const asked = { name: "ci", scopes: ["read"] };
    const { key } = (await server.api("POST", "/api/v1/keys", asked)).json;
    const called = await server.call("/hello");
    const before = await factsOf(server);

    const endLoad = load(server);
    const file = join(tempDir(t), "backup.tgz");
    const made = await isola("backup", file, "--data", server.dataDir, "--json");
    const done = await endLoad();
    assert.equal(made.code, 0, made.err);
    assert.ok(done.calls > 0 && done.deploys > 0, "there was no load");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await server.killAll();

    const other = new RecoveringServer(fewBlanks);
    t.after(() => other.dispose());
    const restored = await isola("restore", file, "--data", other.dataDir, "--json");
    assert.equal(restored.code, 0, restored.err);
    assert.equal(JSON.parse(restored.out).files, JSON.parse(made.out).files);
    await other.begin();
    assert.equal(other.adminKey, server.adminKey);
    assert.deepEqual(await factsOf(other), before);
    await other.assertTidy();
    const headers = { authorization: `Bearer ${key}` };
    assert.equal((await other.api("GET", `${fns}/hello`, undefined, headers)).status, 200);
    assert.equal((await other.versionOf("hello"))?.tag, "second");
    assert.match((await other.versionOf("busy"))?.tag ?? "", /^busy/);
    const id = called.headers.get("isola-request-id");
    assert.equal((await other.api("GET", `/api/v1/invocations/${id}`)).status, 200);
    const back = await other.api("POST", `${fns}/hello/rollback`, { revision: 1 });
    assert.equal(back.status, 200, back.text);
    assert.equal((await other.versionOf("hello"))?.tag, "first");

    // The first goes on as if nothing had been; its end leaves no control group behind.
    await server.begin();
    assert.equal((await server.versionOf("hello"))?.tag, "second");
  });

  test("is not restored over a server's folder, nor over the file of another", async (t) => {
    const server = new RecoveringServer(fewBlanks);
    t.after(() => server.dispose());
    await server.begin();
    const dir = tempDir(t);
    const file = join(dir, "b.tgz");
    const plain = await isola("backup", file, "--data", server.dataDir, "--without-records");
    assert.match(plain.out, /read back and found whole\n.*keep it where nobody else reads it/);
    assert.match(plain.out, /without records/);
    const again = await isola("backup", file, "--data", server.dataDir);
    assert.deepEqual([again.code, /b\.tgz exists/.test(again.err)], [1, true]);
    const over = await isola("restore", file, "--data", server.dataDir);
    assert.equal(over.code, 1);
    assert.match(over.err, /is not empty \(admin-key, api-url, artifacts\): expected an empty/);
    assert.equal((await server.api("GET", "/readyz")).status, 200);
    await server.stop();
    // A stopped server's folder can be backed up, too.
    assert.equal((await isola("backup", join(dir, "c.tgz"), "--data", server.dataDir)).code, 0);
    assert.deepEqual(readdirSync(dir).sort(), ["b.tgz", "c.tgz"]);
  });
});
