/** Functions that do not end by themselves at `/endless`, and answer `ok` anywhere else. */

export interface Endless {
  /** `function that ...` */
  what: string;
  runtime: "nodejs" | "python";
  files: Record<string, string>;
}

const node = (what: string, setUp: string, endless: string): Endless => ({
  what,
  runtime: "nodejs",
  files: {
    "index.mjs": `${setUp}
export const handler = async (event) => {
  if (event.rawPath !== "/endless") return "ok";
  ${endless}
};`,
  },
});

const python = (what: string, setUp: string, endless: string): Endless => ({
  what,
  runtime: "python",
  files: {
    "app.py": `${setUp}
def handler(event, context):
    if event["rawPath"] != "/endless":
        return "ok"
    ${endless}
`,
  },
});

export const endlessFunctions: readonly Endless[] = [
  node("spins", "", "for (;;);"),
  node(
    "spins in all threads",
    'import { Worker } from "node:worker_threads";',
    'for (let i = 0; i < 3; i += 1) new Worker("for (;;);", { eval: true }); for (;;);',
  ),
  node(
    "sleeps in native code",
    "",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); ",
  ),
  node(
    "writes files synchronously",
    'import { writeFileSync, readFileSync } from "node:fs";',
    'for (;;) { writeFileSync("/tmp/x", "x"); readFileSync("/tmp/x"); }',
  ),
  node(
    "meets a catastrophic regular expression",
    "",
    'return /^(a+)+$/.test("a".repeat(60) + "!");',
  ),
  node(
    "catches every signal it can and spins",
    'for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => {});',
    "for (;;);",
  ),
  node("stops itself", "", 'process.kill(process.pid, "SIGSTOP"); for (;;);'),
  node("returns a promise that never settles", "", "await new Promise(() => {});"),
  python("sleeps", "import time", "time.sleep(600)"),
  python(
    "blocks all signals and sleeps",
    "import signal, time",
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(600)",
  ),
  python(
    "meets a catastrophic regular expression in Python",
    "import re",
    're.match("(a+)+$", "a" * 60 + "!")',
  ),
  python(
    "leaves a child of a child in a session of its own that holds its output",
    `import os, time
def orphan():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)`,
    "orphan(); time.sleep(600)",
  ),
  python(
    "forks without end",
    `import os
def bomb():
    while True:
        try:
            os.fork()
        except OSError:
            pass`,
    "bomb()",
  ),
];

/** A `fetch` function whose answer at `/endless` never ends. */
export const endlessStream = {
  "index.mjs": `export default {
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/endless") return new Response("ok");
    const pauseMs = Number(searchParams.get("pauseMs"));
    const firstMs = Number(searchParams.get("firstMs") ?? 0);
    const pieces = Number(searchParams.get("pieces") ?? Infinity);
    let sent = 0;
    const body = new ReadableStream({
      async pull(controller) {
        if (sent === pieces) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        sent += 1;
        controller.enqueue(new TextEncoder().encode("x"));
      },
    });
    return new Promise((resolve) => setTimeout(() => resolve(new Response(body)), firstMs));
  },
};`,
};
