import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, test } from "node:test";
import { type Running, gone, start } from "./running-server.fixture.ts";

const STALL_MS = 1000;
const env = { FAKE_STALL_MS: String(STALL_MS) };

async function replaced(server: Running, name: "gateway" | "control", pid: number) {
  const stalled = await server.line("does not answer: its event loop is blocked; killing it", name);
  assert.equal(stalled.pid, pid);
  const ended = await server.line("ended; starting it again", name);
  assert.equal(ended.signal, "SIGKILL");
  const next = await server.line("started", name);
  const answer = await fetch(`http://127.0.0.1:${next.port}/`, {
    headers: { connection: "close" },
  });
  assert.equal(await answer.text(), `${name} of ${next.pid}`);
}

describe("a role that hangs", { timeout: 60_000 }, () => {
  for (const name of ["gateway", "control"] as const) {
    test(`is found and replaced where the event loop of the ${name} is blocked`, async (t) => {
      const server = start(t, { env });
      const first = await server.line("started", name);
      await server.line("ready");
      const blocked = fetch(`http://127.0.0.1:${first.port}/block`);
      await Promise.all([assert.rejects(blocked), replaced(server, name, first.pid as number)]);
    });
  }

  test("is found and replaced where its process is stopped", async (t) => {
    const server = start(t, { env });
    const { pid } = await server.line("started", "gateway");
    await server.line("ready");
    process.kill(pid as number, "SIGSTOP");
    await replaced(server, "gateway", pid as number);
  });

  test("is not taken for one that hangs when the whole server was stopped", async (t) => {
    const server = start(t, { env });
    const gateway = await server.line("started", "gateway");
    const control = await server.line("started", "control");
    await server.line("ready");
    const all = [server.process.pid, gateway.pid, control.pid] as number[];
    for (const pid of all) process.kill(pid, "SIGSTOP");
    await delay(STALL_MS * 2);
    for (const pid of all) process.kill(pid, "SIGCONT");
    await delay(STALL_MS); // what would be killed wrongly is killed by the next tick
    server.process.kill("SIGTERM");
    assert.equal(await server.exitCode(), 0);
    assert.ok(!server.lines.some(({ msg }) => /does not answer|again/.test(msg)));
  });

  test("is killed by the next start where its supervisor was killed meanwhile", async (t) => {
    const data = mkdtempSync(join(tmpdir(), "isola-supervisor-"));
    const first = start(t, { data });
    const gateway = await first.line("started", "gateway");
    const control = await first.line("started", "control");
    await first.line("ready");
    const pid = gateway.pid as number;
    let isGone = false;
    t.after(() => isGone || process.kill(pid, "SIGKILL"));
    process.kill(pid, "SIGSTOP");
    first.process.kill("SIGKILL");
    await gone(control.pid as number);
    assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^State:\tT/m);
    const ports = ["--gateway-port", String(gateway.port)];
    const second = start(t, { data, argv: ports });
    await second.line("ended what an earlier life left running");
    await second.line("ready");
    await gone(pid);
    isGone = true;
  });
});
