import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";

const server = new TestServer({ ISOLA_BLANK_PYTHON: "0" });
before(() => server.start());
after(() => server.dispose());

const functions = "/api/v1/functions";
const bodyOf = (name: string) => ({
  name,
  runtime: "nodejs",
  code: { files: { "index.mjs": "export const handler = () => 1;" } },
});
const create = (name: string, key: string, headers: Record<string, string> = {}) =>
  server.api("POST", functions, bodyOf(name), { "idempotency-key": key, ...headers });

function controlPid(): number {
  const found = readdirSync("/proc").find((entry) => {
    try {
      const argv = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      const status = readFileSync(`/proc/${entry}/status`, "utf8");
      return argv.includes("control") && status.includes(`PPid:\t${server.pid}\n`);
    } catch {
      return false; // no process, or ended while we looked
    }
  });
  return Number(found ?? 0);
}

async function restartControl(): Promise<void> {
  const killed = controlPid();
  process.kill(killed, "SIGKILL");
  await eventually("another control plane", async () => ![0, killed].includes(controlPid()));
  await eventually("its readiness", () =>
    server.api("GET", "/readyz").then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
}

describe("an Idempotency-Key", () => {
  test("used many times at once makes one function and gives one answer, also after the control plane was killed", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create("once", "key-1")));
    for (const { status, json } of answers) {
      assert.equal(status, 201);
      assert.deepEqual(json, answers[0]?.json);
    }
    const replayed = answers.filter(({ headers }) => headers.get("isola-replayed") === "true");
    assert.equal(replayed.length, 19);
    await restartControl();
    const later = await create("once", "key-1");
    assert.deepEqual([later.status, later.json], [201, answers[0]?.json]);
    assert.equal(later.headers.get("location"), answers[0]?.headers.get("location"));
    assert.equal(later.headers.get("etag"), answers[0]?.headers.get("etag"));
    const { json } = await server.api("GET", `${functions}/once/revisions`);
    assert.equal(json.items.length, 1);
  });

  test("used for a deploy many times at once makes one revision", async () => {
    await create("deployed", "key-2");
    const files = { "index.mjs": "export const handler = () => 2;" };
    const put = () =>
      server.api("PUT", `${functions}/deployed/code`, { files }, { "idempotency-key": "put-1" });
    const answers = await Promise.all(Array.from({ length: 20 }, put));
    for (const { status, json } of answers)
      assert.deepEqual([status, json], [200, answers[0]?.json]);
    const { json } = await server.api("GET", `${functions}/deployed`);
    assert.equal(json.latestRevision, 2);
  });

  test("used for another body, path or method is refused and does nothing", async () => {
    assert.equal((await create("first", "key-3")).status, 201);
    const key = { "idempotency-key": "key-3" };
    for (const answer of [
      await create("second", "key-3"),
      await server.api("DELETE", `${functions}/first`, undefined, key),
      await server.api("PATCH", `${functions}/first`, { timeoutMs: 5 }, key),
      await server.api("POST", `${functions}/first/rollback`, { revision: 1 }, key),
    ])
      assert.deepEqual([answer.status, answer.json.error.code], [409, "conflict"]);
    assert.equal((await server.api("GET", `${functions}/second`)).status, 404);
    assert.equal((await server.api("GET", `${functions}/first`)).json.etag, '"v1"');
  });

  test("of a call that failed may be used again, and another API key may use the same", async () => {
    const refused = await server.api(
      "POST",
      functions,
      { ...bodyOf("third"), runtime: "ruby" },
      {
        "idempotency-key": "key-4",
      },
    );
    assert.equal(refused.status, 400);
    assert.equal((await create("third", "key-4")).status, 201);
    const { json } = await server.api("POST", "/api/v1/keys", { name: "x", scopes: ["deploy"] });
    const authorization = `Bearer ${json.key}`;
    assert.equal((await create("fourth", "key-4", { authorization })).status, 201);
  });

  test("repeats the making of an API key without the key itself", async () => {
    const make = () =>
      server.api(
        "POST",
        "/api/v1/keys",
        { name: "shown once", scopes: ["read"] },
        {
          "idempotency-key": "key-5",
        },
      );
    const [first, second] = [await make(), await make()];
    assert.match(first.json.key, /^isola_/);
    assert.deepEqual(second.json, { ...first.json, key: null });
  });
});
