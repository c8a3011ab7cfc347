import assert from "node:assert/strict";
import { eventually } from "../harness.ts";
import { childrenOf } from "../processes.ts";
import { endlessFunctions } from "./endless-code.ts";
import { serves } from "./run-cases.ts";
import type { DeadlineStand } from "./suite.ts";

const spinning = endlessFunctions[0]?.files as Record<string, string>;

/** Deadlines while those who enforce them are stopped or killed. */
export function enforcerCases(stand: DeadlineStand): void {
  const gateway = () => childrenOf(stand.server.pid, "gateway")[0] as number;
  const keeper = () => childrenOf(gateway(), "keeper/main.ts")[0] as number;

  /** A call that spins, once it runs; nothing else of the server runs then. */
  async function spin(name: string, timeoutMs: number) {
    const queueTimeoutMs = 30_000;
    await stand.deploy(name, spinning, { timeoutMs, queueTimeoutMs, maxSandboxes: 1 });
    await serves(stand, name);
    const call = stand.server.call(`/${name}/endless`);
    call.catch(() => {}); // looked at later
    await eventually("the call to run", async () => (await stand.sandboxes(name)).busy === 1);
    // Told to the keeper within a moment; a gateway that stalls before is found by its silence.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { call };
  }

  async function removeOthers(): Promise<void> {
    await stand.removeFunctions();
    await eventually("no sandbox", async () => (await stand.living()).length === 0);
  }

  stand.case("a gateway that is stopped does not keep code alive beyond its deadline", async () => {
    await removeOthers();
    const { call } = await spin("stopped", 1500 * stand.slowness);
    assert.ok((await stand.living()).length > 0);
    const pid = gateway();
    process.kill(pid, "SIGSTOP");
    try {
      await eventually("the end of the code", async () => (await stand.living()).length === 0);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    // The deadline itself ended it, not the silence of the gateway, which ends everything later.
    await eventually("the word of it, which the gateway passes on", async () =>
      /past its deadline and not ended by the gateway/.test(stand.server.log),
    );
    const answer = await call;
    assert.equal(answer.status, 504, answer.text);
    assert.equal(answer.json.error.code, "function_timeout");
    await serves(stand, "stopped");
    assert.equal(gateway(), pid, "and it was not replaced");
  });

  stand.case(
    "a gateway that is killed takes its sandboxes with it, and the next one serves",
    async () => {
      await removeOthers();
      const { call } = await spin("orphaned", 60_000);
      const keeperBefore = keeper();
      process.kill(gateway(), "SIGKILL");
      await assert.rejects(call);
      await eventually("the end of its keeper", async () => !isThere(keeperBefore));
      await eventually("the end of the code", async () => (await stand.living()).length === 0);
      const again = await eventually("an answer", async () => {
        try {
          const answer = await stand.server.call("/orphaned");
          return answer.status === 200 && answer;
        } catch {
          return null; // nobody listens yet
        }
      });
      assert.equal(again.text, "ok");
    },
  );

  stand.case(
    "a keeper that is killed takes its sandboxes with it, and the next one starts others",
    async () => {
      await removeOthers();
      const { call } = await spin("unkept", 60_000);
      const before = await stand.living();
      const [pid, gatewayPid] = [keeper(), gateway()];
      process.kill(pid, "SIGKILL");
      const answer = await call;
      assert.equal(answer.status, 502, answer.text);
      assert.equal(answer.json.error.code, "sandbox_exited");
      await serves(stand, "unkept");
      assert.deepEqual(
        (await stand.living()).filter((each) => before.includes(each)),
        [],
      );
      assert.notEqual(keeper(), pid);
      assert.equal(gateway(), gatewayPid, "the gateway lived on");
    },
  );
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
