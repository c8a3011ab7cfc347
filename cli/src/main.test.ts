import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { fakeKey } from "../test/fake-api.ts";
import { workplace } from "../test/run-isola.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

test("a Ctrl-C that comes twice lets a command end what it began", async (t) => {
  const { api, dir } = await workplace(t);
  const running = { id: "c1", state: "running", phase: "warm", percent: 1, drivers: [] };
  const env = { PATH: process.env.PATH, ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey };
  api.comparison = [running];
  const child = spawn(process.execPath, [main, "compare", "--function", "f"], { cwd: dir, env });
  api.onCall = (call) => {
    // The second before it is answered that the comparison has ended.
    if (call === "GET /api/v1/comparisons/c1" || call.startsWith("DELETE")) child.kill("SIGINT");
  };
  const [said] = await Promise.all([text(child.stderr), once(child, "exit")]);
  assert.equal(child.exitCode, 130, said);
  assert.match(said, /comparison c1 was cancelled\n$/);
});
