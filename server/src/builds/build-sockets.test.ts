import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { BuildSockets } from "./build-sockets.ts";
import { RegistryRoute } from "./registry-route.ts";

test("the folder of sockets is made again once a cleaner of temporary files has removed it", async (t) => {
  const runDir = mkdtempSync(join(tmpdir(), "isola-sockets-test-"));
  const route = new RegistryRoute({ registries: [], privateRegistries: [], upstream: null });
  const sockets = new BuildSockets(route, runDir);
  t.after(() => {
    sockets.close();
    rmSync(runDir, { recursive: true });
  });
  const first = await sockets.open("one");
  const folder = dirname(first.socket.from);
  const second = await sockets.open("two");
  assert.equal(dirname(second.socket.from), folder);
  await second.close();
  await first.close();
  rmSync(folder, { recursive: true });
  const third = await sockets.open("three");
  assert.ok(existsSync(third.socket.from));
  assert.equal(readFileSync(join(runDir, "builds-dir"), "utf8"), dirname(third.socket.from));
  await third.close();
  sockets.close();
  assert.ok(!existsSync(dirname(third.socket.from)));
});
