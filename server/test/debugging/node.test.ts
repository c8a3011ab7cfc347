import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, after, before, describe, test } from "node:test";
import { TestServer, eventually, gatewayOf } from "../harness.ts";
import { CdpClient } from "./cdp-client.ts";
import { DebugCommand } from "./debug-command.ts";

const TIMEOUT_MS = 400;
/** The line with `answer` in it comes with a breakpoint. */
const code = (version: string) => `
const loadedAs = "${version}";
export const handler = async ({ rawPath }) => {
  if (rawPath === "/spin") for (;;);
  if (rawPath === "/end") process.exit(3);
  const answer = [loadedAs, rawPath, process.env.ISOLA_SANDBOX];
  return answer;
};
`;
const BREAK_LINE = 7;
const settings = { timeoutMs: TIMEOUT_MS, handler: "index.handler" };

const server = new TestServer({ ISOLA_DEBUGGER: "true" });

before(async () => {
  await server.start();
  await server.deploy("hello", { "index.mjs": code("first") }, settings);
});

after(async () => {
  await server.dispose();
});

function debugs(t: TestContext, options: string[] = []): DebugCommand {
  const command = new DebugCommand(server, "hello", options);
  t.after(() => command.end("SIGKILL"));
  return command;
}

async function breaksAt(debug: CdpClient, lineNumber: number): Promise<void> {
  const urlRegex = "/var/task/index\\.mjs$";
  await debug.send("Debugger.setBreakpointByUrl", { lineNumber: lineNumber - 1, urlRegex });
}

/** A call that stands at the breakpoint. */
async function pausedCall(port: number) {
  const debug = await CdpClient.attach(port);
  await breaksAt(debug, BREAK_LINE);
  const call = server.call("/hello/x");
  return { debug, call, frame: await debug.paused() };
}

describe("a debugger of a Node.js function", () => {
  test("stops a call at a line, reads its variables beyond its timeoutMs, and lets it go on", async (t) => {
    const command = debugs(t);
    const { debug, call, frame } = await pausedCall(await command.port());
    const until = performance.now() + TIMEOUT_MS + 300;
    assert.deepEqual([frame.url, frame.line], ["file:///var/task/index.mjs", BREAK_LINE]);
    const waiting = server.call("/hello/behind");
    while (performance.now() < until)
      assert.equal(await debug.evaluate(frame.callFrameId, "answer[0] + rawPath"), "first/x");
    await debug.send("Debugger.resume");
    assert.deepEqual((await call).json.slice(0, 2), ["first", "/x"]);
    const behind = await debug.paused();
    assert.equal(await debug.evaluate(behind.callFrameId, "rawPath"), "/behind");
    await debug.send("Debugger.resume");
    assert.equal((await waiting).json[2], (await call).json[2], "in the one sandbox there is");
    debug.close();
    assert.equal(await command.end("SIGINT"), 0);
  });

  test("stops in what runs while the code is loaded, where the code waits for it", async (t) => {
    const command = debugs(t, ["--wait"]);
    const debug = await CdpClient.attach(await command.port());
    await breaksAt(debug, 2);
    const call = server.call("/hello/x");
    await debug.send("Runtime.runIfWaitingForDebugger");
    assert.equal((await debug.paused()).line, 2);
    await debug.send("Debugger.resume");
    assert.equal((await call).json[0], "first");
    debug.close();
    await command.end("SIGINT");
  });

  test("has a sandbox that nobody calls any more when its session ends, however it ends, and clocks hold again", async (t) => {
    const command = debugs(t);
    const { call, frame, debug } = await pausedCall(await command.port());
    const sandbox = await debug.evaluate(frame.callFrameId, "answer[2]");
    await command.end("SIGKILL");
    // Without its debugger it may have gone on for a moment.
    const { status, json } = await call;
    assert.ok(status === 200 || json.error.code === "sandbox_exited", JSON.stringify(json));
    const after = await server.call("/hello/x");
    assert.notEqual(after.json[2], sandbox);
    assert.equal((await server.call("/hello/spin")).json.error.code, "function_timeout");
  });

  test("is one for a function: a second session is refused", async (t) => {
    const command = debugs(t);
    await command.port();
    const second = debugs(t);
    assert.equal(await second.end(), 1);
    assert.equal((second.told[0] as any).error.code, "conflict");
    await command.end("SIGINT");
  });

  test("is not left behind where its port is taken", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    t.after(() => taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const refused = debugs(t, ["--port", String(port)]);
    assert.equal(await refused.end(), 1);
    assert.match(JSON.stringify(refused.told), /expected a free port on 127.0.0.1/);
    const next = await eventually("the end of that session", async () => {
      const command = debugs(t);
      return (await command.port().catch(() => 0)) > 0 && command;
    });
    await next.end("SIGINT");
  });

  test("moves on with a deploy, and to another sandbox when its own has ended", async (t) => {
    const command = debugs(t);
    const port = await command.port();
    const files = { "index.mjs": code("second") };
    await server.api("PUT", "/api/v1/functions/hello/code", { files });
    await command.tells("revision 2", ({ type, revision }) => type === "open" && revision === 2);
    const { debug, call, frame } = await pausedCall(port);
    assert.equal(await debug.evaluate(frame.callFrameId, "answer[0]"), "second");
    await debug.send("Debugger.resume");
    assert.equal((await call).status, 200);
    // Node.js ends once no debugger is attached.
    debug.close();
    assert.equal((await server.call("/hello/end")).json.error.code, "sandbox_exited");
    await command.tells("the end", ({ type }) => type === "sandbox_ended");
    const opened = () => command.told.filter(({ type }) => type === "open").length;
    await eventually("another sandbox", async () => opened() === 2);
    const again = await pausedCall(port);
    await again.debug.send("Debugger.resume");
    assert.equal((await again.call).status, 200);
    again.debug.close();
    await command.end("SIGINT");
  });

  test("is told what does not start, and goes on with the deploy that mends it", async (t) => {
    const command = debugs(t);
    const port = await command.port();
    const put = (text: string) =>
      server.api("PUT", "/api/v1/functions/hello/code", { files: { "index.mjs": text } });
    await put("throw new Error('not today');");
    const failed = await command.tells("the failure", ({ type }) => type === "failed");
    assert.match(String(failed.message), /not today/);
    await put(code("third"));
    await command.tells("the mended one", ({ revision }) => revision === 4);
    const { debug, call } = await pausedCall(port);
    await debug.send("Debugger.resume");
    assert.equal((await call).json[0], "third");
    debug.close();
    await command.end("SIGINT");
  });

  test("ends with the function, and with the gateway", async (t) => {
    await server.deploy("brief", { "index.mjs": code("brief") }, settings);
    const brief = new DebugCommand(server, "brief");
    t.after(() => brief.end("SIGKILL"));
    const command = debugs(t);
    await Promise.all([brief.port(), command.port()]);
    await server.api("DELETE", "/api/v1/functions/brief");
    assert.equal(await brief.end(), 1);
    assert.match(JSON.stringify(brief.told.at(-1)), /the function was deleted/);
    process.kill(gatewayOf(server), "SIGKILL");
    assert.equal(await command.end(), 1);
    assert.match(JSON.stringify(command.told.at(-1)), /the gateway went away/);
    const next = await eventually("the next gateway", async () => {
      const answer = await server.call("/hello/x").catch(() => null);
      return answer?.status === 200 ? answer : null;
    });
    assert.equal(next.json[0], "third");
  });

  test("does not hold up the end of the server", async (t) => {
    const command = debugs(t);
    const { call } = await pausedCall(await command.port());
    const ended = call.catch(() => null);
    assert.equal(await server.stop(), 0);
    assert.equal(await command.end(), 1);
    await ended;
  });
});
