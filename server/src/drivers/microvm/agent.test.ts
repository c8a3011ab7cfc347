import assert from "node:assert/strict";
import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { describe, test } from "node:test";
import { Agent, type AgentEvents } from "./agent.ts";

const limits = { memoryBytes: 1024, pidsMax: 8 };
const start = { epochNs: 5n, seed: Buffer.alloc(128, 0xab), limits, tmpBytes: 4096 };

/** An agent, what it told, and the guest's end of its channel. */
function stand(): { agent: Agent; told: unknown[]; guest: Duplex } {
  const [host, guest] = duplexPair();
  const told: unknown[] = [];
  const events: AgentEvents = {
    onExit: (exit) => told.push(exit),
    onOutOfMemory: () => told.push("oom"),
    onProblem: (problem) => told.push(problem),
  };
  return { agent: new Agent(host, events), told, guest };
}

async function heard(guest: Duplex): Promise<string> {
  const [chunk] = await once(guest, "data");
  return String(chunk);
}

describe("the agent channel", () => {
  test("asks by number, and takes the answers in any order", async () => {
    const { agent, guest } = stand();
    const said: string[] = [];
    guest.on("data", (chunk: Buffer) => said.push(String(chunk)));
    const both = [agent.setLimits(limits), agent.setTime(7n)];
    guest.write("2 o");
    guest.write("k\n1 ok\n");
    await Promise.all(both);
    assert.deepEqual(said, ["1 limits 1024 8\n", "2 time 7\n"]);
  });

  test("gives a start its time and all of its randomness", async () => {
    const { agent, guest } = stand();
    const started = agent.start(start, 1000);
    assert.equal(await heard(guest), `1 start 5 ${"ab".repeat(128)} 1024 8 4096\n`);
    guest.write("1 ok\n");
    await started;
  });

  test("tells a refusal, silence and the end of the guest as failed starts", async () => {
    const { agent, guest } = stand();
    const refused = agent.prepare(start);
    guest.write("1 failed no such group\n");
    await assert.rejects(refused, { code: "sandbox_start_failed", message: "no such group" });
    const silent = agent.start(start, 1);
    await assert.rejects(silent, {
      code: "sandbox_start_failed",
      message: /start: not within 1 ms/,
    });
    const cut = agent.setTime(1n);
    guest.end();
    await assert.rejects(cut, { code: "sandbox_start_failed", message: /init has gone/ });
    await assert.rejects(agent.up, { code: "sandbox_start_failed" });
    await assert.rejects(agent.setTime(1n), { code: "sandbox_start_failed" });
  });

  test("tells how the first process has ended, and that memory was short", async () => {
    const { agent, told, guest } = stand();
    guest.write("up 1\ngate\noom\nexit code 7\nexit signal 6\n");
    await agent.gate;
    assert.deepEqual(told, [
      "oom",
      { exitCode: 7, signal: null },
      { exitCode: null, signal: "SIGABRT" },
    ]);
  });

  test("refuses a guest of another version", async () => {
    const { agent, guest } = stand();
    guest.write("up 2\n");
    await assert.rejects(agent.up, { message: /version 2 of its lines, not 1/ });
  });

  test("complains once about what nobody knows, and takes no line without an end", async () => {
    const { agent, told, guest } = stand();
    guest.write("hello\nexit code 900\nexit signal x\n77 ok late\n");
    guest.write("x".repeat(5000));
    await assert.rejects(agent.up, { message: /init has gone/ });
    assert.deepEqual(told, ["a line that nobody knows: hello"]);
    const other = stand();
    other.guest.write(`${"x".repeat(5000)}\nup 1\n`);
    await assert.rejects(other.agent.up, { message: /init has gone/ });
    assert.deepEqual(other.told, ["a line of more than 4096 bytes"]);
  });

  test("asks no more than a guest may leave unanswered", async () => {
    const { agent } = stand();
    const asked = Array.from({ length: 65 }, () => agent.start(start, 50));
    const results = await Promise.allSettled(asked);
    const texts = results.map((each) => String((each as PromiseRejectedResult).reason.message));
    assert.match(texts[64] as string, /does not answer/);
    assert.equal(texts.filter((text) => text.includes("not within")).length, 64);
  });
});
