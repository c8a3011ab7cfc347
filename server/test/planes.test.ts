import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "./harness.ts";
import { childrenOf } from "./processes.ts";

let server: TestServer;

before(async () => {
  server = await new TestServer().start();
  await server.deploy("hello", { "index.mjs": "export const handler = async () => 'hello';" });
});

after(async () => {
  await server.dispose();
});

const pidOf = (role: string) => childrenOf(server.pid, role)[0] ?? 0;

describe("when the control plane is killed", () => {
  test("calls go on, their records are kept, and deploys work again after its restart", async () => {
    const killed = pidOf("control");
    assert.notEqual(killed, 0);
    process.kill(killed, "SIGKILL");
    const ids: string[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const answer = await server.call("/hello");
      assert.equal(answer.status, 200);
      ids.push(answer.headers.get("isola-request-id") ?? "");
    }
    await eventually("another control plane", async () => {
      const pid = pidOf("control");
      return pid !== 0 && pid !== killed;
    });
    await eventually("its readiness", () =>
      server.api("GET", "/readyz").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    for (const id of ids)
      await eventually(
        `the record of ${id}`,
        async () => (await server.api("GET", `/api/v1/invocations/${id}`)).status === 200,
      );
    await server.deploy("after", { "index.mjs": "export const handler = async () => 'after';" });
    assert.equal((await server.call("/after")).text, "after");
  });
});

describe("when the control plane is stopped", () => {
  test("calls go on while it does not run at all", async () => {
    const stopped = pidOf("control");
    process.kill(stopped, "SIGSTOP");
    try {
      for (let turn = 0; turn < 50; turn += 1)
        assert.equal((await server.call("/hello")).status, 200);
    } finally {
      process.kill(stopped, "SIGCONT");
    }
  });
});

describe("when the gateway is killed", () => {
  test("another takes its place with everything that is deployed", async () => {
    process.kill(pidOf("gateway"), "SIGKILL");
    const answer = await eventually("an answer", () =>
      server.call("/hello").then(
        (got) => (got.status === 200 ? got : null),
        () => null,
      ),
    );
    assert.equal(answer.text, "hello");
  });
});

describe("a server that is stopped and started again", () => {
  test("finishes the calls under way, exits with 0, and has everything as it was", async () => {
    const slow =
      "export const handler = () => new Promise((resolve) => setTimeout(resolve, 300, 'slow'));";
    await server.deploy("slow", { "index.mjs": slow });
    const before = await server.api("GET", "/api/v1/functions");
    const key = server.adminKey;
    const running = server.call("/slow");
    await eventually("the call to run", async () => {
      const { json } = await server.api("GET", "/api/v1/system");
      return json.gateway?.runningInvocations > 0;
    });
    const stopped = server.stop("SIGTERM");
    assert.equal((await running).text, "slow");
    assert.equal(await stopped, 0);
    await server.start();
    assert.equal(server.adminKey, key);
    assert.equal(statSync(join(server.dataDir, "admin-key")).mode & 0o777, 0o600);
    const names = (answer: any) =>
      answer.json.items.map((fn: any) => [fn.name, fn.liveRevision, fn.etag]);
    assert.deepEqual(names(await server.api("GET", "/api/v1/functions")), names(before));
    assert.equal((await server.call("/hello")).text, "hello");
  });

  test("refuses a second server on the same data folder in one line", async () => {
    const second = new TestServer({ ISOLA_DATA: server.dataDir });
    await assert.rejects(second.start(), (error: Error) => {
      const lines = error.message.trim().split("\n").slice(1);
      return lines.length === 1 && /data folder|in use|another/i.test(lines[0] ?? "");
    });
    await second.dispose();
    assert.equal((await server.call("/hello")).status, 200);
  });
});
