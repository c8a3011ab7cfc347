import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KeeperLink } from "./keeper-link.ts";
import { dockerSettings } from "../drivers/testing/docker-settings.ts";

test("a keeper that is stopped is found and replaced, what it left unanswered fails, and its successor answers", async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-keeper-"));
  const problems: string[] = [];
  const lost = Promise.withResolvers<void>();
  const keeper = new KeeperLink({
    settings: {
      nodeId: "node-0123456789ab",
      stateDir,
      acceptNoIsolation: true,
      ...dockerSettings,
      streamsPath: join(stateDir, "streams.sock"),
      without: ["bubblewrap", "cgroups"],
    },
    bootId: "test",
    onProblem: (problem) => problems.push(problem),
    onLost: () => lost.resolve(),
    listenFor: () => Promise.reject(new Error("nothing is started")),
    stallMs: 1000,
  });
  t.after(async () => {
    await keeper.close();
    rmSync(stateDir, { recursive: true });
  });
  assert.equal((await keeper.call("process", "probe", null)).isAvailable, true);
  const first = keeper.pid as number;
  process.kill(first, "SIGSTOP");
  const unanswered = keeper.call("process", "probe", null);
  await assert.rejects(unanswered, { code: "sandbox_start_failed" });
  await lost.promise;
  assert.match(problems[0] ?? "", /has not answered for \d+ ms; killing it/);
  assert.equal((await keeper.call("process", "probe", null)).isAvailable, true);
  assert.notEqual(keeper.pid, first);
});
