import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Flag, Type } from "../../protocol/src/frames.mjs";
import { archiveOf, TestHost } from "./test-host.ts";

const files = {
  "index.mjs":
    "export const handler = (event) => event === 'wait' ? new Promise((r) => setTimeout(r, 1e6).unref()) : event;",
};
const lines = ["id", "GET", "/", "", "", "", "http", "", ""].join("\n");
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

describe("the runtime", () => {
  test("greets first, and answers PING at any time", async () => {
    await using host = new TestHost();
    const { inProgress, residentBytes, cpuMicros } = await host.ping();
    assert.deepEqual([inProgress, residentBytes > 1e6, cpuMicros > 0], [0, true, true]);
    const [hello] = host.frames;
    assert.deepEqual(JSON.parse(hello?.payload.toString() ?? ""), {
      ...{ protocol: 1, runtime: "nodejs", version: process.versions.node, pid: host.child.pid },
    });
  });

  test("runs invocations at once up to its concurrency", async () => {
    await using host = await TestHost.ready(files, { concurrency: 50 });
    for (let opened = 0; opened < 49; opened++) host.open({ event: "wait" });
    assert.equal((await host.invoke({ event: 5 })).body.toString(), "5");
    assert.equal((await host.ping()).inProgress, 49);
  });

  test("ends with 0 when the host closes the stream", async () => {
    await using host = await TestHost.ready(files);
    host.control.end();
    assert.equal(await host.exited, 0);
  });

  test("says why it cannot start without a control stream", async () => {
    await using host = new TestHost({ ISOLA_CONTROL: "tcp:1" });
    assert.equal(await host.exited, 1);
    assert.match(
      host.output,
      /ISOLA_CONTROL must be fd:N, stdio, unix:\/path or file:\/path, not tcp:1/,
    );
  });
});

describe("a breach by the host ends the runtime with 70 and a reason", () => {
  type Breach = (host: TestHost) => void | Promise<void>;
  const blank: [string, RegExp, Breach][] = [
    [
      "an unknown frame type",
      /unknown frame type 0x7f/,
      (host) => void host.control.write(Buffer.from("000000007f00000000000000", "hex")),
    ],
    [
      "CODE before INIT",
      /CODE while the sandbox is blank/,
      (host) => host.writer.frame(Type.CODE, 0, 0),
    ],
    [
      "an invocation before INIT",
      /while the sandbox is blank/,
      (host) => host.writer.invoke(Flag.END, 1, 1, 1, lines),
    ],
    [
      "INIT that is no JSON",
      /INIT is not JSON/,
      (host) => host.writer.frame(Type.INIT, 0, 0, Buffer.from("{]")),
    ],
    ["INIT that lacks a member", /INIT lacks handler/, (host) => host.init({ handler: undefined })],
    ["INIT with env null", /INIT lacks env/, (host) => host.init({ env: null })],
    [
      "INIT twice",
      /INIT comes once/,
      (host) => {
        host.init();
        host.init();
      },
    ],
    [
      "an archive of garbage",
      /archive header/,
      (host) => {
        host.init();
        host.writer.frame(Type.CODE, Flag.END, 0, Buffer.alloc(512, 1));
      },
    ],
    [
      "an archive that ends inside an entry",
      /ends inside an entry/,
      async (host) => {
        host.init();
        const archive = await archiveOf({ "a.txt": "x".repeat(2000) });
        host.writer.frame(Type.CODE, Flag.END, 0, archive.subarray(0, 1000));
      },
    ],
    [
      "a stream that ends inside a frame",
      /inside a frame/,
      (host) => void host.control.end(Buffer.alloc(5)),
    ],
  ];
  for (const [what, reason, breach] of blank)
    test(`${what}, while blank`, async () => {
      await using host = new TestHost();
      await host.first((frame) => frame.type === Type.HELLO);
      await breach(host);
      assert.equal(await host.exited, 70);
      assert.match(host.output, reason);
    });

  const wait = (host: TestHost) => host.open({ event: "wait" });
  const openBody = (host: TestHost) =>
    host.writer.invoke(0, 1, 1000, 0, lines.replace("GET", "POST"));
  const ready: [string, RegExp, Breach][] = [
    [
      "CODE after its end",
      /CODE while the sandbox is ready/,
      (host) => host.writer.frame(Type.CODE, 0, 0),
    ],
    ["INIT", /INIT comes once/, (host) => host.init()],
    [
      "an invocation number used twice",
      /invocation 1 after 1/,
      (host) => {
        host.open({ event: 1 });
        host.writer.invoke(Flag.END, 1, 1, 1, lines);
      },
    ],
    [
      "an invocation number left out",
      /invocation 2 after 0/,
      (host) => host.writer.invoke(Flag.END, 2, 1, 1, lines),
    ],
    [
      "more invocations than agreed",
      /exceeds the concurrency of 1/,
      (host) => {
        wait(host);
        wait(host);
      },
    ],
    [
      "a head without a path",
      /has 3 lines/,
      (host) => host.writer.invoke(Flag.END, 1, 1, 1, "id\nGET\n/"),
    ],
    [
      "a header without a value",
      /has 10 lines/,
      (host) => host.writer.invoke(Flag.END, 1, 1, 1, `${lines}\nname`),
    ],
    [
      "BODY on a stream never opened",
      /stream 1, never opened/,
      (host) => host.writer.frame(Type.BODY, 0, 1),
    ],
    [
      "CREDIT on a stream never opened",
      /stream 9, never opened/,
      (host) => host.writer.credit(9, 1),
    ],
    [
      "CANCEL on a stream never opened",
      /stream 9, never opened/,
      (host) => host.writer.frame(Type.CANCEL, 0, 9),
    ],
    [
      "BODY where there is none",
      /body after its end/,
      (host) => host.writer.frame(Type.BODY, 0, wait(host)),
    ],
    [
      "BODY beyond the window",
      /body beyond the window/,
      (host) => {
        // The limit of a request would answer first; a window is used up by frames of one turn.
        openBody(host);
        for (let sent = 0; sent < 5; sent++)
          host.writer.frame(Type.BODY, 0, 1, Buffer.alloc(65_536));
      },
    ],
    [
      "a window above 2^31 - 1",
      /window above 2147483647/,
      (host) => {
        const stream = wait(host);
        host.writer.credit(stream, 2 ** 31 - 1);
      },
    ],
    [
      "SHUTDOWN twice",
      /SHUTDOWN comes once/,
      (host) => {
        wait(host);
        for (const _ of "12") host.writer.frame(Type.SHUTDOWN, 0, 0, u32(5000));
      },
    ],
  ];
  for (const [what, reason, breach] of ready)
    test(`${what}, while ready`, async () => {
      const isWindow = what === "BODY beyond the window";
      const code = { "index.mjs": "export default { fetch: () => new Promise(() => {}) };" };
      await using host = await TestHost.ready(isWindow ? code : files);
      await breach(host);
      assert.equal(await host.exited, 70);
      assert.match(host.output, reason);
    });
});

describe("SHUTDOWN", () => {
  test("ends an idle runtime with 0 and runs its exit listeners", async () => {
    const code = {
      "index.mjs": "process.on('exit', () => console.log('bye')); export const handler = () => 1;",
    };
    await using host = await TestHost.ready(code);
    host.writer.frame(Type.SHUTDOWN, 0, 0, u32(5000));
    assert.equal(await host.exited, 0);
    assert.deepEqual(
      host.logs.map(({ text }) => text),
      ["bye"],
    );
  });

  test("ends a blank runtime", async () => {
    await using host = new TestHost();
    host.writer.frame(Type.SHUTDOWN, 0, 0, u32(5000));
    assert.equal(await host.exited, 0);
  });

  test("lets open invocations finish, then runs listeners of SIGTERM to their end", async () => {
    const code = {
      "index.mjs": `
        process.on("SIGTERM", async () => { await new Promise((r) => setTimeout(r, 20)); console.log("flushed"); });
        export const handler = async () => { console.log("started"); await new Promise((r) => setTimeout(r, 50)); return 1; };`,
    };
    await using host = await TestHost.ready(code);
    const stream = host.open({ event: 1 });
    await host.until(() => host.logs.length === 1);
    host.writer.frame(Type.SHUTDOWN, 0, 0, u32(10_000));
    assert.equal((await host.answer(stream)).body.toString(), "1");
    assert.equal(await host.exited, 0);
    assert.deepEqual(
      host.logs.map(({ text }) => text),
      ["started", "flushed"],
    );
  });

  test("waits no longer than its grace", async () => {
    await using host = await TestHost.ready(files);
    host.open({ event: "wait" });
    host.writer.frame(Type.SHUTDOWN, 0, 0, u32(10));
    assert.equal(await host.exited, 0);
  });
});
