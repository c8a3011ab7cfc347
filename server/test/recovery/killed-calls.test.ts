import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../harness.ts";
import { callers, callsOf } from "./closed-loop.ts";
import { RecoveringServer, codeOf } from "./recovering-server.ts";
import { assertNothingLeft, pidOf, sandboxPids, serverPids } from "./traces.ts";

const fns = "/api/v1/functions";
const hello = { revision: 1, tag: "hello", gen: "gen-0" };

async function begun(): Promise<RecoveringServer> {
  const server = new RecoveringServer({ ISOLA_BLANK_NODEJS: "1", ISOLA_BLANK_PYTHON: "0" });
  await server.begin();
  await server.deploy("hello", codeOf("hello").files, { env: { GEN: "gen-0" } });
  await server.killAll();
  return server;
}

async function ended(server: RecoveringServer): Promise<void> {
  await server.killAll();
  await server.begin();
  await server.stop();
  await assertNothingLeft(server);
  await server.dispose();
}

describe("a call during which the gateway is killed", () => {
  let server: RecoveringServer;
  before(async () => {
    server = await begun();
  });
  after(() => ended(server));

  for (const point of ["claim.before-init", "claim.initialised", "call.sent", "call.head"]) {
    test(`at ${point} fails, and the next gateway serves the function and leaves nothing of the first`, async (t) => {
      t.after(() => server.killAll());
      await server.begin(`${point}=kill`);
      const killed = pidOf(server, "gateway");
      const sandboxes = sandboxPids(server);
      await assert.rejects(server.call("/hello"), TypeError);
      await eventually(
        "another gateway",
        async () => ![0, killed].includes(pidOf(server, "gateway")),
      );
      await server.ready();
      assert.deepEqual(await server.versionOf("hello"), hello);
      await eventually("the end of its sandboxes", async () => {
        const now = sandboxPids(server);
        return sandboxes.every((pid) => !now.includes(pid));
      });
      await server.assertTidy();
    });

    test(`at ${point} fails with everything, and the next start leaves nothing of the first`, async (t) => {
      t.after(() => server.killAll());
      await server.begin(`${point}=stop`);
      const sandboxes = sandboxPids(server);
      const failed = assert.rejects(server.call("/hello"), TypeError);
      await server.stoppedPid();
      await server.killAll();
      await failed;
      await server.begin();
      assert.deepEqual(await server.versionOf("hello"), hello);
      const now = sandboxPids(server);
      assert.ok(sandboxes.every((pid) => !now.includes(pid)));
      await server.assertTidy();
    });
  }
});

describe("a record", () => {
  let server: RecoveringServer;
  before(async () => {
    server = await begun();
  });
  after(() => ended(server));

  async function recordsOf(ids: string[]): Promise<string[]> {
    const { json } = await server.api("GET", "/api/v1/invocations?limit=100");
    return json.items.map(({ id }: { id: string }) => id).filter((id: string) => ids.includes(id));
  }

  for (const point of ["records.stored", "records.before-ack"]) {
    test(`whose control plane is killed at ${point} is there once`, async (t) => {
      t.after(() => server.killAll());
      await server.begin(`${point}=kill`);
      const killed = pidOf(server, "control");
      const answer = await server.call("/hello");
      const id = answer.headers.get("isola-request-id") as string;
      await eventually(
        "another control plane",
        async () => ![0, killed].includes(pidOf(server, "control")),
      );
      await server.ready();
      await server.call("/hello"); // its record comes after whatever is sent again
      await eventually("both records", async () => {
        const { json } = await server.api("GET", "/api/v1/invocations?limit=1");
        return json.items[0]?.id !== id && (await recordsOf([id])).length > 0;
      });
      assert.deepEqual(await recordsOf([id]), [id]);
    });

    test(`that was stored is there after everything was killed at ${point}`, async (t) => {
      t.after(() => server.killAll());
      await server.begin(`${point}=stop`);
      const answer = await server.call("/hello");
      const id = answer.headers.get("isola-request-id") as string;
      await server.stoppedPid();
      await server.killAll();
      await server.begin();
      assert.deepEqual(await recordsOf([id]), [id]);
    });
  }
});

describe("a server that is killed without any warning", () => {
  let server: RecoveringServer;
  before(async () => {
    server = await begun();
  });
  after(() => ended(server));

  test("keeps every change that was answered, and replays its answer under its Idempotency-Key", async (t) => {
    t.after(() => server.killAll());
    await server.begin();
    const made = new Map<string, { status: number; text: string }>();
    const make = (name: string) => {
      const body = { name, runtime: "nodejs", env: { GEN: "gen-0" }, code: codeOf(name) };
      return server.api("POST", fns, body, { "idempotency-key": `key-${name}` });
    };
    const deploying = (async () => {
      for (let at = 0; ; at += 1) {
        const { status, text } = await make(`fn-${at}`);
        made.set(`fn-${at}`, { status, text });
      }
    })();
    const stopped = assert.rejects(deploying, TypeError);
    await eventually("some deploys", async () => made.size >= 10);
    await server.killAll();
    await stopped;
    await server.begin();
    for (const [name, answer] of made) {
      assert.equal(answer.status, 201);
      assert.deepEqual(await server.versionOf(name), { revision: 1, tag: name, gen: "gen-0" });
      const replayed = await make(name);
      assert.equal(replayed.headers.get("isola-replayed"), "true");
      assert.equal(replayed.text, answer.text);
    }
    await server.assertTidy();
  });

  test("under load serves again after its start, and every record that it had stored is there", async (t) => {
    t.after(() => server.killAll());
    await server.begin();
    const loops = callers(8, `${server.gatewayUrl}/hello`);
    let stored: string[] = [];
    await eventually("records", async () => {
      const { json } = await server.api("GET", "/api/v1/invocations?limit=100");
      stored = json.items.map(({ id }: { id: string }) => id);
      return stored.length === 100;
    });
    await server.killAll();
    for (const { ended: end } of loops) assert.ok((await end) instanceof Error);
    assert.ok(callsOf(loops) >= 100);
    await server.begin();
    for (const id of stored)
      assert.equal((await server.api("GET", `/api/v1/invocations/${id}`)).status, 200);
    assert.deepEqual(await server.versionOf("hello"), hello);
    await server.assertTidy();
  });

  test("at the supervisor alone ends its roles, its keeper and its sandboxes by itself", async (t) => {
    t.after(() => server.killAll());
    await server.begin();
    const loops = callers(8, `${server.gatewayUrl}/hello`);
    await eventually("the load", async () => callsOf(loops) > 100);
    assert.notEqual(sandboxPids(server).length, 0);
    await server.stop("SIGKILL");
    await assertNothingLeft(server);
    assert.deepEqual(serverPids(server), []);
    for (const { ended: end } of loops) assert.notEqual(await end, "stopped");
  });
});
