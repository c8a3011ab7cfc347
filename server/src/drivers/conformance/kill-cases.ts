import assert from "node:assert/strict";
import { destroyed, soon } from "./session.ts";
import type { Stand } from "./stand.ts";

/** What destroy ends. */
export function killCases(stand: Stand): void {
  const busy = {
    spin: "a busy loop",
    spinAnyway: "a busy loop that ignores every signal it can",
    stop: "a sandbox that has stopped itself",
  };
  for (const [op, what] of Object.entries(busy))
    stand.case(`kill-${op}`, `destroy ends ${what}`, async (room) => {
      const session = await room.ready();
      await session.invoke({ op: "echo", value: 1 });
      session.invokeAndForget({ op });
      const report = await soon(session.sandbox.destroy("timeout"), "destroy");
      assert.equal(report.isConfirmed, true);
      const { cause, signal } = await session.sandbox.exited;
      assert.deepEqual({ cause, signal }, { cause: "destroyed", signal: "SIGKILL" });
    });

  for (const family of ["nodejs", "python"] as const) {
    if (!stand.has(family)) continue;
    stand.case(
      "kill-orphan",
      `destroy ends a child of a child in a session of its own (${family})`,
      async (room) => {
        const session = await room.ready(family);
        await session.invoke({ op: "orphan" });
        await destroyed(session);
        assert.deepEqual(await leftOf(stand, session.sandbox.id), []);
      },
    );
  }

  stand.case(
    "exit-orphan",
    "a child that outlives the first process is ended with it",
    async (room) => {
      const session = await room.ready();
      await session.invoke({ op: "orphan" });
      session.invokeAndForget({ op: "exit", code: 0 });
      await soon(session.sandbox.exited, "exit");
      await destroyed(session);
      assert.deepEqual(await leftOf(stand, session.sandbox.id), []);
    },
  );

  stand.case("kill-early", "destroy works before hello", async (room) => {
    await destroyed(await room.blank());
  });

  stand.case("kill-twice", "destroy is idempotent, also at the same time", async (room) => {
    const session = await room.ready();
    const reasons = ["idle", "timeout", "shutdown"] as const;
    const reports = await Promise.all(reasons.map((reason) => session.sandbox.destroy(reason)));
    for (const report of reports) assert.deepEqual(report, reports[0]);
    assert.deepEqual(await session.sandbox.destroy("idle"), reports[0]);
    assert.equal(reports[0]?.isConfirmed, true);
  });
}

async function leftOf(stand: Stand, sandboxId: string): Promise<string[]> {
  return (await stand.options.leftovers()).filter((name) => name.endsWith(sandboxId));
}
