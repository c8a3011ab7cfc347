import assert from "node:assert/strict";
import { eventually } from "../harness.ts";
import { isAlone, serves } from "./run-cases.ts";
import type { DeadlineStand } from "./suite.ts";

const later = "const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));";

/** Sandboxes that end by themselves, inits that do not, and what goes on behind an answer. */
export function endingCases(stand: DeadlineStand): void {
  const deaths: [how: string, code: string][] = [
    ["exits", "process.exit(3)"],
    ["aborts", "process.abort()"],
    ["is ended by a segmentation fault", 'process.kill(process.pid, "SIGSEGV")'],
  ];
  for (const [at, [how, code]] of deaths.entries())
    stand.case(`a function that ${how} before, during and after its answer`, async () => {
      const name = `dies-${at}`;
      const files = {
        "index.mjs": `${later}
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/before") { ${code}; await later(60_000); }
  if (pathname === "/during") return new Response(new ReadableStream({ async pull(controller) {
    controller.enqueue(new TextEncoder().encode("begun")); await later(100); ${code};
  } }));
  if (pathname === "/after") setTimeout(() => { ${code}; }, 20);
  return new Response("ok");
} };`,
      };
      // Without it the sandbox may stand still before the code behind the answer has come to its end.
      const settings = { timeoutMs: 20_000, maxSandboxes: 1, afterResponse: "allow" };
      await stand.deploy(name, files, settings);
      const before = await stand.server.call(`/${name}/before`);
      assert.equal(before.status, 502);
      assert.equal(before.json.error.code, "sandbox_exited");
      const during = await fetch(`${stand.server.gatewayUrl}/${name}/during`);
      assert.equal(during.status, 200);
      await assert.rejects(during.arrayBuffer());
      const record = await stand.recordOf(during.headers.get("isola-request-id"));
      assert.deepEqual([record.outcome, record.errorCode], ["crash", "sandbox_exited"]);
      assert.equal((await stand.server.call(`/${name}/after`)).text, "ok");
      await eventually(
        "its end",
        async () => Object.keys(await stand.sandboxes(name)).length === 0,
      );
      await serves(stand, name);
      await isAlone(stand, name);
    });

  const initTimeoutMs = 600 * stand.slowness;
  const inits: [what: string, files: Record<string, string>, runtime: string][] = [
    [
      "never ends",
      { "index.mjs": "await new Promise(() => {}); export const handler = () => 1;" },
      "nodejs",
    ],
    ["spins", { "index.mjs": "for (;;); export const handler = () => 1;" }, "nodejs"],
    [
      "forks and sleeps",
      {
        "app.py":
          "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\ntime.sleep(600)\n",
      },
      "python",
    ],
  ];
  for (const [at, [what, files, runtime]] of inits.entries())
    stand.case(`an init that ${what} is init_timeout, and nothing of it is left`, async () => {
      const name = `init-${at}`;
      await stand.deploy(name, files, { runtime, initTimeoutMs });
      const answer = await stand.server.call(`/${name}`);
      assert.equal(answer.status, 504);
      assert.equal(answer.json.error.code, "init_timeout");
      assert.equal(answer.json.error.phase, "init");
      assert.equal(answer.json.error.limitMs, initTimeoutMs);
      await eventually(
        "its end",
        async () => Object.keys(await stand.sandboxes(name)).length === 0,
      );
    });

  graceCases(stand);
  afterResponseCases(stand);
}

function graceCases(stand: DeadlineStand): void {
  const { slowness } = stand;
  stand.case(
    "grace lets the code say its last words after the caller was answered, and no more",
    async () => {
      const files = {
        "index.mjs": `${later}
export default { async fetch(request) {
  if (new URL(request.url).pathname !== "/late") return new Response("ok");
  request.signal.addEventListener("abort", () => console.log("last words"));
  await later(${500 * slowness + 400});
  return new Response("too late");
} };`,
      };
      const settings = { timeoutMs: 500 * slowness, timeoutGraceMs: 2000, maxSandboxes: 1 };
      await stand.deploy("grace", files, settings);
      const before = (await stand.server.api("GET", "/api/v1/system")).json.gateway.lateFrames;
      const answer = await stand.server.call("/grace/late");
      assert.equal(answer.json.error.code, "function_timeout");
      await eventually("its last words", async () =>
        (await stand.logsOf("grace")).includes("last words"),
      );
      await eventually("the late frames to be counted", async () => {
        const { json } = await stand.server.api("GET", "/api/v1/system");
        return json.gateway.lateFrames > before;
      });
      await serves(stand, "grace");
      await isAlone(stand, "grace");
    },
  );

  stand.case("grace ends by itself where the code does not", async () => {
    const files = {
      "index.mjs":
        'export const handler = async (event) => { if (event.rawPath === "/spin") for (;;); return "ok"; };',
    };
    await stand.deploy("no-end", files, {
      timeoutMs: 200 * slowness,
      timeoutGraceMs: 300,
      maxSandboxes: 1,
    });
    assert.equal((await stand.server.call("/no-end/spin")).status, 504);
    await serves(stand, "no-end");
    await isAlone(stand, "no-end");
  });
}

function afterResponseCases(stand: DeadlineStand): void {
  /** Answers with the longest pause between two ticks of its own timer. */
  const ticking = {
    "index.mjs": `let at = performance.now(); let longest = 0;
setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - at); at = now; }, 5);
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  const answer = longest; longest = 0;
  setTimeout(() => console.log("behind the answer"), 400);
  return answer;
};`,
  };

  stand.case(
    "between calls a sandbox is frozen: nothing in it goes on until the next call",
    async () => {
      await stand.deploy("frozen", ticking, { maxSandboxes: 1 });
      await stand.server.call("/frozen");
      await eventually("the freeze", async () => (await stand.sandboxes("frozen")).frozen === 1);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.deepEqual(await stand.logsOf("frozen"), []);
      const answer = await stand.server.call("/frozen");
      assert.equal(answer.status, 200);
      assert.ok(Number(answer.text) > 1000, `stood still for ${answer.text} ms`);
      assert.doesNotMatch(answer.headers.get("server-timing") ?? "", /init/);
    },
  );

  stand.case("with afterResponse allow, work behind an answer goes on", async () => {
    await stand.deploy("allowed", ticking, { afterResponse: "allow" });
    await stand.server.call("/allowed");
    await eventually("the line behind the answer", async () =>
      (await stand.logsOf("allowed")).includes("behind the answer"),
    );
    assert.deepEqual(await stand.sandboxes("allowed"), { idle: 1 });
  });

  stand.case("with afterResponse kill, no sandbox serves twice", async () => {
    await stand.deploy("killed", ticking, { afterResponse: "kill", maxSandboxes: 1 });
    const sandboxes = new Set<string>();
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await stand.server.call("/killed");
      assert.equal(answer.status, 200);
      sandboxes.add((await stand.recordOf(answer.headers.get("isola-request-id"))).sandboxId);
    }
    assert.equal(sandboxes.size, 3);
    await eventually(
      "the end",
      async () => Object.keys(await stand.sandboxes("killed")).length === 0,
    );
  });
}
