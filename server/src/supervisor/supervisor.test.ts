import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { type ClientRequest, type IncomingMessage, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gone, start } from "./running-server.fixture.ts";

const HANG_MS = 60_000;

async function get(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" } })).text();
}

/** A call that the gateway has begun to answer and that ends when the test ends its body. */
async function openCall(url: string): Promise<{ call: ClientRequest; response: IncomingMessage }> {
  const call = request(url, { method: "POST", agent: false });
  call.write("x");
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return { call, response };
}

describe("the supervisor", { timeout: HANG_MS }, () => {
  test("starts both roles, says where they listen, and exits 0 on SIGTERM", async (t) => {
    const server = start(t);
    const gateway = await server.line("started", "gateway");
    const control = await server.line("started", "control");
    const ready = await server.line("ready");
    assert.equal(ready.functions, `http://127.0.0.1:${gateway.port}`);
    assert.equal(await get(`${ready.functions}/`), `gateway of ${gateway.pid}`);
    assert.equal(await get(`http://127.0.0.1:${control.port}/`), `control of ${control.pid}`);
    server.process.kill("SIGTERM");
    assert.equal(await server.exitCode(), 0);
    assert.throws(() => process.kill(gateway.pid as number, 0), { code: "ESRCH" });
    assert.throws(() => process.kill(control.pid as number, 0), { code: "ESRCH" });
  });

  test("leaves the API's URL in the data folder as long as it runs", async (t) => {
    const data = mkdtempSync(join(tmpdir(), "isola-supervisor-"));
    writeFileSync(join(data, "api-url"), "http://127.0.0.1:1\n");
    const server = start(t, { data });
    const { port } = await server.line("started", "control");
    await server.line("ready");
    assert.equal(readFileSync(join(data, "api-url"), "utf8"), `http://127.0.0.1:${port}\n`);
    server.process.kill("SIGTERM");
    assert.equal(await server.exitCode(), 0);
    assert.ok(!existsSync(join(data, "api-url")));
  });

  for (const name of ["gateway", "control"] as const) {
    test(`starts a killed ${name} again, on the same port, in a new life`, async (t) => {
      const server = start(t);
      const first = await server.line("started", name);
      await server.line("ready");
      process.kill(first.pid as number, "SIGKILL");
      const ended = await server.line("ended; starting it again", name);
      assert.equal(ended.signal, "SIGKILL");
      const second = await server.line("started", name);
      assert.equal(second.port, first.port);
      assert.notEqual(second.pid, first.pid);
      assert.notEqual(second.bootId, first.bootId);
      assert.equal(await get(`http://127.0.0.1:${second.port}/`), `${name} of ${second.pid}`);
    });
  }

  test("lets running calls finish, takes no new ones, then exits 0", async (t) => {
    const server = start(t);
    const gateway = await server.line("started", "gateway");
    await server.line("ready");
    const url = `http://127.0.0.1:${gateway.port}/`;
    const { call, response } = await openCall(url);
    server.process.kill("SIGINT");
    await server.line("draining");
    await refused(url);
    call.end();
    assert.equal(await text(response), `gateway of ${gateway.pid}`);
    assert.equal(await server.exitCode(), 0);
  });

  test("takes one press that arrives several times as one", async (t) => {
    const server = start(t, { env: { FAKE_REPEAT_MS: String(HANG_MS) } });
    const gateway = await server.line("started", "gateway");
    await server.line("ready");
    const { call, response } = await openCall(`http://127.0.0.1:${gateway.port}/`);
    server.process.kill("SIGINT");
    await server.line("draining");
    server.process.kill("SIGINT");
    server.process.kill("SIGTERM");
    call.end();
    assert.equal(await text(response), `gateway of ${gateway.pid}`);
    assert.equal(await server.exitCode(), 0);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(`stops at once and exits ${code} on a second ${signal}`, async (t) => {
      const server = start(t, { env: { FAKE_REPEAT_MS: "0", FAKE_GATEWAY: "hang" } });
      const gateway = await server.line("started", "gateway");
      await server.line("ready");
      server.process.kill("SIGINT");
      await server.line("draining");
      server.process.kill(signal);
      assert.equal(await server.exitCode(), code);
      assert.equal(server.lines.at(-1)?.msg, "stopped");
      assert.throws(() => process.kill(gateway.pid as number, 0), { code: "ESRCH" });
    });
  }

  test("leaves the signals of the terminal to itself: roles ignore them", async (t) => {
    const server = start(t);
    const gateway = await server.line("started", "gateway");
    await server.line("ready");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.kill(gateway.pid as number, signal);
    }
    assert.equal(await get(`http://127.0.0.1:${gateway.port}/`), `gateway of ${gateway.pid}`);
  });

  test("that is killed takes its roles with it", async (t) => {
    const server = start(t);
    await server.line("ready");
    server.process.kill("SIGKILL");
    await server.exited; // the roles hold the other end of its stderr
    assert.equal(server.process.signalCode, "SIGKILL");
    for (const { pid } of server.lines.filter((line) => line.msg === "started")) {
      await gone(pid as number);
    }
  });

  test("can be stopped while a role is still starting", async (t) => {
    const server = start(t, { env: { FAKE_CONTROL: "stall" } });
    await server.line("started", "gateway");
    server.process.kill("SIGTERM");
    await server.line("draining");
    assert.equal(await server.exitCode(), 1, "the role had to be killed");
  });

  test("refuses a data folder in use with exit code 3, naming the process", async (t) => {
    const data = mkdtempSync(join(tmpdir(), "isola-supervisor-"));
    const server = start(t, { data });
    await server.line("ready");
    const second = start(t, { data });
    assert.equal(await second.exitCode(), 3);
    assert.match(second.text.join("\n"), new RegExp(`in use.*process ${server.process.pid}\\b`));
  });

  for (const name of ["gateway", "control"] as const) {
    test(`says which port of the ${name} is taken and exits 1`, async (t) => {
      const blocker = createServer().listen(0, "127.0.0.1");
      t.after(() => blocker.close());
      await once(blocker, "listening");
      const { port } = blocker.address() as AddressInfo;
      const server = start(t, { argv: [`--${name}-port`, String(port)] });
      assert.equal(await server.exitCode(), 1);
      const said = `isola: port ${port} on 127.0.0.1 is taken: .*--${name}-port`;
      assert.match(server.text.join("\n"), new RegExp(said));
      assert.equal(server.text.length, 1, "one line");
      assert.ok(!server.lines.some(({ msg }) => msg === "could not start"));
    });
  }

  test("does not loop over a role that cannot start", async (t) => {
    const failing = start(t, { env: { FAKE_CONTROL: "fail" } });
    assert.equal(await failing.exitCode(), 1);
    assert.deepEqual(failing.text, ["isola: as the test wants it"]);
    const exiting = start(t, { env: { FAKE_GATEWAY: "exit" } });
    assert.equal(await exiting.exitCode(), 1);
    assert.match(exiting.text.join(), /gateway ended before it was ready \(exit code 9\)/);
  });

  test("refuses wrong settings with exit code 2", async (t) => {
    const server = start(t, { argv: ["--gateway-port", "x"] });
    assert.equal(await server.exitCode(), 2);
  });
});

async function text(response: IncomingMessage): Promise<string> {
  let all = "";
  for await (const chunk of response) all += String(chunk);
  return all;
}

/** Resolves when nothing listens any more. */
async function refused(url: string): Promise<void> {
  for (;;) {
    try {
      await get(url);
    } catch {
      return;
    }
  }
}
