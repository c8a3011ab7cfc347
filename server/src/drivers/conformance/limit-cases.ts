import assert from "node:assert/strict";
import { MiB } from "../../domain/limits.ts";
import { destroyed, soon } from "./session.ts";
import type { Stand } from "./stand.ts";

/** Limits of memory and processes. */
export function limitCases(stand: Stand): void {
  stand.case("memory", "memory above the limit ends the sandbox as out_of_memory", async (room) => {
    const session = await room.ready("nodejs", { memoryBytes: 160 * MiB, pidsMax: 64 });
    session.invokeAndForget({ op: "grow" });
    assert.equal((await soon(session.sandbox.exited, "exit")).cause, "out_of_memory");
    await destroyed(session);
  });

  stand.case(
    "memory-in-child",
    "memory above the limit in a child ends the whole sandbox",
    async (room) => {
      const session = await room.ready("nodejs", { memoryBytes: 160 * MiB, pidsMax: 64 });
      session.invokeAndForget({ op: "growInChild" });
      assert.equal((await soon(session.sandbox.exited, "exit")).cause, "out_of_memory");
    },
  );

  stand.case("apply-limits", "limits applied at the claim are those that hold", async (room) => {
    const session = await room.ready("nodejs", { memoryBytes: 512 * MiB, pidsMax: 64 });
    const more = session.sandbox.applyLimits({ memoryBytes: 1024 * MiB, pidsMax: 64 });
    if (stand.leaves("limits-doubled")) await assert.rejects(more, /was started with/);
    else await more;
    await session.sandbox.applyLimits({ memoryBytes: 160 * MiB, pidsMax: 64 });
    session.invokeAndForget({ op: "grow" });
    assert.equal((await soon(session.sandbox.exited, "exit")).cause, "out_of_memory");
    await assert.rejects(session.sandbox.applyLimits({ memoryBytes: 160 * MiB, pidsMax: 64 }), {
      code: "sandbox_start_failed",
    });
  });

  if (!stand.has("python")) return;
  stand.case("python-memory", "memory of a Python function is limited too", async (room) => {
    const session = await room.ready("python", { memoryBytes: 128 * MiB, pidsMax: 64 });
    session.invokeAndForget({ op: "grow" });
    assert.equal((await soon(session.sandbox.exited, "exit")).cause, "out_of_memory");
  });

  stand.case(
    "processes",
    "a fork bomb meets its limit, and the neighbour works on",
    async (room) => {
      // With room for as many processes as there may be, whatever a kernel of its own keeps for each.
      const limits = { memoryBytes: 1024 * MiB, pidsMax: 64 };
      const starts = [room.ready("python", limits), room.ready("python")] as const;
      const [bomb, neighbour] = await Promise.all(starts);
      const { made, error } = await bomb.invoke<{ made: number; error: string }>({ op: "bomb" });
      assert.equal(error, "EAGAIN");
      assert(made < 64, `${made} processes were made`);
      const answer = await soon(neighbour.invoke({ op: "echo", value: 2 }), "the neighbour");
      assert.deepEqual(answer, { value: 2, greeting: "hello" });
      await destroyed(bomb);
    },
  );

  stand.case("fork-storm", "a storm of forks is killed as a whole", async (room) => {
    const [storm, neighbour] = await Promise.all([room.ready("python"), room.ready("python")]);
    storm.invokeAndForget({ op: "storm" });
    await soon(neighbour.invoke({ op: "echo", value: 2 }), "the neighbour");
    await destroyed(storm);
  });
}
