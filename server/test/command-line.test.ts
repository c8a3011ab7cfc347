import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { TestServer } from "./harness.ts";

const program = fileURLToPath(new URL("../../cli/isola.mjs", import.meta.url));

describe("isola, with a server", { timeout: 120_000 }, () => {
  const server = new TestServer();
  const dir = mkdtempSync(join(tmpdir(), "isola-commands-"));

  before(async () => {
    await server.start();
    mkdirSync(join(dir, "hello"));
    writeFileSync(join(dir, "hello/index.mjs"), 'export const handler = () => "hi";');
  });
  after(async () => {
    await server.dispose();
    rmSync(dir, { recursive: true });
  });

  async function isola(argv: string[], stdin = "", more: NodeJS.ProcessEnv = {}) {
    const env = { PATH: process.env.PATH, HOME: dir, ...more };
    const child = spawn(process.execPath, [program, ...argv], { cwd: dir, env });
    child.stdin.end(stdin);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (child.exitCode === null) await once(child, "exit");
    return { exitCode: child.exitCode, stdout, stderr };
  }

  test("adds it as a context with a key from stdin, and calls it from then on", async () => {
    const added = await isola(
      ["context", "add", "here", server.apiUrl, "--key", "-", "--use"],
      server.adminKey,
    );
    assert.equal(added.exitCode, 0, added.stderr);
    const deployed = await isola(["deploy", "hello"]);
    assert.match(deployed.stdout, /^hello: created, revision 1, /, deployed.stderr);
    const changed = await isola(["env", "set", "hello", "A=1"]);
    assert.match(changed.stdout, /^hello: revision 2 has A$/m);
    const [revisions, builds, system] = await Promise.all([
      isola(["revisions", "hello"]),
      isola(["builds", "hello"]),
      isola(["system"]),
    ]);
    assert.match(revisions.stdout, /^\* +2 +settings /m);
    assert.equal(builds.exitCode, 0, builds.stderr);
    assert.match(system.stdout, /^functions +1$/m);
    const typo = await isola(["get", "helo"]);
    assert.match(typo.stderr, /did you mean hello\?/);
  });

  test("makes a key that may do what its scopes say, and revokes it", async () => {
    const made = await isola(["keys", "create", "reader", "--scope", "read", "--expires", "1h"]);
    assert.equal(made.exitCode, 0, made.stderr);
    const key = made.stdout.trim();
    assert.match(key, /^isola_[A-Za-z0-9]+_\w+$/);
    assert.equal((await isola(["list"], "", { ISOLA_API_KEY: key })).exitCode, 0);
    const refused = await isola(["rm", "hello", "--yes"], "", { ISOLA_API_KEY: key });
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /The key is from ISOLA_API_KEY\. `isola keys create` makes one/);
    const id = key.split("_")[1] as string;
    assert.equal((await isola(["keys", "revoke", id, "--yes"])).exitCode, 0);
    const gone = await isola(["list"], "", { ISOLA_API_KEY: key });
    assert.match(gone.stderr, /the key from ISOLA_API_KEY is not accepted/);
    assert.match((await isola(["keys"])).stdout, new RegExp(`^${id} +reader .* revoked$`, "m"));
  });

  test("calls the API as it is, and downloads", async () => {
    const listed = await isola(["api", "GET", "functions", "--paginate"]);
    const { items } = JSON.parse(listed.stdout) as { items: { name: string }[] };
    assert.deepEqual(
      items.map(({ name }) => name),
      ["hello"],
    );
    const change = ["api", "PATCH", "functions/hello", "--data", '{"memoryMiB":256}', "--json"];
    const { status, body } = JSON.parse((await isola(change)).stdout);
    assert.deepEqual([status, body.memoryMiB], [200, 256]);
    const code = await isola(["api", "GET", "functions/hello/code"]);
    assert.ok(code.stdout.startsWith("index.mjs\0") && code.stdout.includes('=> "hi"'));
    const missing = await isola(["api", "GET", "functions/nope"]);
    assert.deepEqual([missing.exitCode, JSON.parse(missing.stdout).error.code], [1, "not_found"]);
  });

  test("changes contexts from several processes at once and loses none", async () => {
    const names = ["a", "b", "c", "d"];
    const added = await Promise.all(
      names.map((name) => isola(["context", "add", name, server.apiUrl, "--no-check"])),
    );
    for (const { exitCode, stderr } of added) assert.equal(exitCode, 0, stderr);
    const stored = JSON.parse(readFileSync(join(dir, ".config/isola/contexts.json"), "utf8"));
    assert.deepEqual(Object.keys(stored.contexts).sort(), [...names, "here"]);
  });

  test("is quiet and done when its reader has seen enough", async () => {
    const child = spawn(process.execPath, [program, "completion", "zsh"], {
      cwd: dir,
      env: { PATH: process.env.PATH, HOME: dir },
    });
    child.stdout.destroy();
    const [stderr] = await Promise.all([text(child.stderr), once(child, "exit")]);
    assert.deepEqual([child.exitCode, stderr], [0, ""]);
  });
});
