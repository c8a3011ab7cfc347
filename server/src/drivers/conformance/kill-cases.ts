import assert from "node:assert/strict";
import { once } from "node:events";
import { codeOf } from "./code.ts";
import { type Session, destroyed, soon } from "./session.ts";
import type { Stand } from "./stand.ts";

type Family = "nodejs" | "python";
type Stubborn = Record<string, readonly [word: string, what: string]>;

/** Code that does not want to end: the word it says once it has begun, and what it is. */
const stubborn = {
  nodejs: {
    spin: ["spinning", "a busy loop"],
    spinAnyway: ["spinning", "a busy loop that ignores every signal it can"],
    spinThreads: ["spinning", "busy loops in all threads"],
    sleepNative: ["asleep", "a main thread that waits for ever"],
    fileLoop: ["writing", "a loop over files that never yields"],
    regex: ["matching", "a regular expression that does not come to an end"],
    sayAndStop: ["stopping", "a sandbox that has stopped itself"],
  },
  python: {
    sleep_blocked: ["asleep", "a native sleep with all signals blocked"],
    regex: ["matching", "a regular expression that does not come to an end"],
    stop_all: ["stopping", "a sandbox whose processes have all stopped themselves"],
    grow_slowly: ["growing", "memory that grows"],
    storm: ["storm", "a fork bomb"],
    hop: ["hopping", "a process that is another one each time somebody looks"],
  },
} as const;

/** Code whose loading never comes to an end, alone and with a child in a session of its own. */
const loading = {
  nodejs: `import fs from "node:fs"; import { spawn } from "node:child_process";
FORK fs.writeSync(1, "loading\\n"); for (;;);`,
  python: "import os\nFORK\nos.write(1, b'loading\\n')\nwhile True: pass\n",
};
const forks = {
  nodejs: `spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: ["ignore", "inherit", "inherit"] });`,
  python: "if os.fork() == 0:\n    os.setsid()\n    while True: __import__('time').sleep(1)",
};

/** What destroy ends. */
export function killCases(stand: Stand): void {
  for (const [family, codes] of Object.entries(stubborn) as [Family, Stubborn][]) {
    if (!stand.has(family)) continue;
    for (const [op, [word, what]] of Object.entries(codes))
      stand.case(`kill-${op}`, `destroy ends ${what} (${family})`, async (room) => {
        const session = await room.ready(family);
        session.invokeAndForget({ op });
        await soon(session.said(word), word);
        await endsAsOne(stand, session);
        const { cause, signal } = await session.sandbox.exited;
        assert.deepEqual({ cause, signal }, { cause: "destroyed", signal: "SIGKILL" });
      });

    for (const [kind, start] of [
      ["spins", ""],
      ["forks", forks[family]],
    ] as const)
      stand.case(
        `kill-init-${kind}`,
        `destroy ends an init that ${kind} for ever (${family})`,
        async (room) => {
          const session = await room.blank(family);
          const { files, handler } = codeOf[family];
          const name = Object.keys(files).find((each) =>
            each.startsWith(handler.split(".")[0] as string),
          ) as string;
          session.init({ [name]: loading[family].replace("FORK", start) }, handler).catch(() => {}); // it will never be ready
          await soon(session.said("loading"), "loading");
          await endsAsOne(stand, session);
        },
      );
  }
  endCases(stand);

  for (const family of ["nodejs", "python"] as const) {
    if (!stand.has(family)) continue;
    stand.case(
      "kill-orphan",
      `destroy ends a child of a child in a session of its own (${family})`,
      async (room) => {
        const session = await room.ready(family);
        await session.invoke({ op: "orphan" });
        await endsAsOne(stand, session);
        // The child held it open.
        const { stdout } = session.sandbox;
        if (!stdout.closed) await soon(once(stdout, "close"), "the end of its output");
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
      await endsAsOne(stand, session);
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

/** How a sandbox that ends itself is told, and that nothing of it stays. */
function endCases(stand: Stand): void {
  if (!stand.has("python")) return;
  const ends = {
    leave: { cause: "exited", exitCode: 3, signal: null },
    abort: { cause: "signalled", exitCode: null, signal: "SIGABRT" },
    segfault: { cause: "signalled", exitCode: null, signal: "SIGSEGV" },
  };
  for (const [op, expected] of Object.entries(ends))
    stand.case(
      `end-${op}`,
      `a sandbox that ends itself by ${op} is told as that, and is gone`,
      async (room) => {
        const session = await room.ready("python");
        await session.invoke({ op: "orphan" });
        session.invokeAndForget({ op, code: 3 });
        assert.deepEqual(await soon(session.sandbox.exited, "exit"), expected);
        await endsAsOne(stand, session);
      },
    );
}

/** Destroys it; nothing of it may be left on the machine. */
async function endsAsOne(stand: Stand, session: Session): Promise<void> {
  await destroyed(session);
  const { id } = session.sandbox;
  assert.deepEqual(
    (await stand.options.leftovers()).filter((name) => name.endsWith(id)),
    [],
  );
}
