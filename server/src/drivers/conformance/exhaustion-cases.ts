import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { MiB } from "../../domain/limits.ts";
import { type Session, destroyed, soon } from "./session.ts";
import type { Room, Stand } from "./stand.ts";

/** Of sandboxes that are to hit it. */
const small = { memoryBytes: 96 * MiB, pidsMax: 64 };

/** Code that takes all it can get: it meets its own limit, and a sandbox beside it works on. */
export function exhaustionCases(stand: Stand): void {
  if (!stand.has("python")) return;

  stand.case(
    "threads",
    "threads are limited like processes, and end with an error",
    async (room) => {
      await beside(room, async (session) => {
        const { made, error } = await session.invoke<Made>({ op: "threads" });
        assert.equal(error, "RuntimeError");
        assert(made < 64, `${made} threads were made`);
        await works(session);
      });
    },
  );

  stand.case(
    "descriptors-max",
    "a sandbox without free descriptors gets an error, and lives",
    async (room) => {
      await beside(room, async (session) => {
        const { made, error } = await session.invoke<Made>({ op: "descriptors" });
        assert.equal(error, "EMFILE");
        assert(made < 1024, `${made} were opened`);
        await works(session);
      });
    },
  );

  const sinks = { stdout: 1, stderr: 2, "the log": "log" };
  for (const [name, to] of Object.entries(sinks))
    stand.case("flood", `a flood to ${name} blocks nobody, and comes to an end`, async (room) => {
      await beside(room, async (session) => {
        assert.equal(
          await soon(session.invoke({ op: "flood", to, mebibytes: 16 }), "end"),
          "flooded",
        );
        await works(session);
      });
    });

  stand.case(
    "all-cores",
    "code that spins on all processors does not stop its neighbour",
    async (room) => {
      await beside(room, async (session) => {
        assert.equal(await session.invoke({ op: "cores" }), "spinning");
        await works(session);
      });
    },
  );

  stand.case(
    "shm-size",
    "a full /dev/shm is an error in the code, and the sandbox lives",
    async (room) => {
      const session = await room.ready("python");
      assert.equal(await session.invoke({ op: "fill", path: "/dev/shm/full" }), "ENOSPC");
      await works(session);
    },
  );

  memoryCases(stand);
}

/** Memory that belongs to no process is the sandbox's all the same. */
function memoryCases(stand: Stand): void {
  stand.case(
    "memory-inodes",
    "files without content come to an end, by their number or as memory that ends the sandbox",
    async (room) => {
      await beside(
        room,
        async (session) => {
          const filled = session.invoke<Made>({ op: "inodes" }).catch(() => "ended" as const);
          const how = await soon(filled, "the end of the files");
          if (how === "ended") assert.equal((await session.sandbox.exited).cause, "out_of_memory");
          else assert.equal(how.error, "ENOSPC");
        },
        small,
      );
    },
  );

  const kinds = {
    "memory-files": ["grow_in_files", "pages of a file without a name"],
    "memory-sockets": ["grow_in_sockets", "what is written to sockets and not read"],
    "memory-task": ["fill_task", "files in its own code folder"],
  } as const;
  for (const [name, [op, what]] of Object.entries(kinds))
    stand.case(name, `${what} count as memory and end the sandbox`, async (room) => {
      await beside(
        room,
        async (session) => {
          session.invokeAndForget({ op });
          assert.equal((await soon(session.sandbox.exited, "exit")).cause, "out_of_memory");
        },
        small,
      );
    });
}

interface Made {
  made: number;
  error: string | null;
}

/** Does it in one sandbox; another one has to answer meanwhile and after it. */
async function beside(
  room: Room,
  work: (session: Session) => Promise<void>,
  limits = { memoryBytes: 256 * MiB, pidsMax: 64 },
): Promise<void> {
  const [session, neighbour] = await Promise.all([
    room.ready("python", limits),
    room.ready("python"),
  ]);
  let isDone = false;
  const working = work(session).finally(() => {
    isDone = true;
  });
  const answering = (async () => {
    do await works(neighbour);
    while (!isDone);
  })();
  await Promise.all([working, answering]);
  await works(neighbour);
  await destroyed(session);
}

async function works(session: Session): Promise<void> {
  const value = randomUUID();
  const answer = await soon(session.invoke({ op: "echo", value }), "an answer");
  assert.deepEqual(answer, { value, greeting: "hello" });
}
