import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { forEachLine } from "../server/src/supervisor/log-lines.ts";
import { root } from "./pinned-node.mjs";

/** What `npm start` is: a script that waits for a server, both in one process group as in a terminal. */
function startScript(t: TestContext) {
  const data = mkdtempSync(join(tmpdir(), "isola-processes-"));
  const server = join(root, "server/src/supervisor/fake-server.fixture.ts");
  const args = [server, "--data", data, "--gateway-port", "0", "--control-port", "0"];
  const script = `
    const { runServer } = await import(${JSON.stringify(join(root, "setup/processes.mjs"))});
    process.exitCode = await runServer(process.execPath, ${JSON.stringify(args)}, { onMessage() {} });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const lines = new Map<string, (line: { functions: string }) => void>();
  const line = (msg: string) =>
    new Promise<{ functions: string }>((resolve) => void lines.set(msg, resolve));
  forEachLine(child.stderr, (text) => {
    const record = JSON.parse(text) as { msg: string; functions: string };
    lines.get(record.msg)?.(record);
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      process.kill(-(child.pid as number), "SIGKILL");
    }
    await closed;
    rmSync(data, { recursive: true, force: true });
  });
  return { child, line, closed };
}

describe("a script that runs a server", { timeout: 60_000 }, () => {
  for (const [wish, toGroup] of [
    ["Ctrl-C in the terminal", true],
    ["a signal to the script", false],
  ] as const) {
    test(`lets it drain and exits 0 after ${wish}`, async (t) => {
      const { child, line, closed } = startScript(t);
      const { functions } = await line("ready");
      const call = request(functions, { method: "POST", agent: false });
      call.write("x");
      const [response] = (await once(call, "response")) as [IncomingMessage];
      const draining = line("draining");
      process.kill(toGroup ? -(child.pid as number) : (child.pid as number), "SIGINT");
      await draining;
      call.end();
      let body = "";
      for await (const chunk of response) body += String(chunk);
      assert.match(body, /^gateway of \d+$/);
      assert.deepEqual(await closed, [0, null]);
    });
  }
});
