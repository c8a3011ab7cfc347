import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TestServer, eventually } from "../harness.ts";
import { HeldCall, holdingCode } from "./held-call.ts";

const server = new TestServer({ ISOLA_BLANK_PYTHON: "0" });
before(() => server.start());
after(() => server.dispose());

const functions = "/api/v1/functions";
const DEPLOYS = 50;
const CALLERS = 4;

/** Resolves once so many calls of the function run. */
function running(name: string, count: number): Promise<unknown> {
  return eventually(`${count} running calls of ${name}`, async () => {
    const { json } = await server.api("GET", "/api/v1/system");
    const pools = json.gateway.pools.filter((pool: any) => pool.functionName === name);
    return pools.reduce((sum: number, pool: any) => sum + pool.running, 0) >= count;
  });
}

describe("changes while the function is called", () => {
  test("fail no call, mix no code with other settings, and are seen by every call that starts after the answer", async () => {
    await server.deploy("live", holdingCode(0), { env: { MARK: "0" } });
    const answered = { code: 0, env: 0 };
    const seen = new Set<string>();
    let isOver = false;
    let onCall = () => {};
    const caller = async () => {
      while (!isOver) {
        const least = { ...answered };
        const { status, json, text } = await server.call("/live", { method: "POST", body: "x" });
        assert.equal(status, 200, text);
        const [code, env] = [json.code as number, Number(json.env)];
        assert.ok(code >= least.code && env >= least.env, `${text} after ${JSON.stringify(least)}`);
        // Code and settings change in turn, so that in every revision the one is a step behind the other.
        assert.ok(code + env === 0 || Math.abs(code - env) === 1, `mixed: ${text}`);
        seen.add(`${code} ${env}`);
        onCall();
      }
    };
    const callers = Array.from({ length: CALLERS }, caller);
    const changes = (async () => {
      for (let turn = 1; turn <= DEPLOYS; turn += 1) {
        const isCode = turn % 2 === 1;
        const answer = isCode
          ? await server.api("PUT", `${functions}/live/code`, { files: holdingCode(turn) })
          : await server.api("PATCH", `${functions}/live`, { env: { MARK: String(turn) } });
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json.applied, true);
        answered[isCode ? "code" : "env"] = turn;
        // However slow the machine, every second revision is called; the others may be gone before.
        if (isCode) await new Promise<void>((resolve) => (onCall = resolve));
      }
    })();
    await Promise.race([changes, ...callers]);
    await changes;
    isOver = true;
    await Promise.all(callers);
    assert.ok(seen.size > DEPLOYS / 4, `the calls saw only ${seen.size} revisions`);
    const last = { code: DEPLOYS - 1, env: String(DEPLOYS) };
    assert.deepEqual((await server.call("/live")).json, last);
  });

  test("of its time limit hold for later calls alone", async () => {
    await server.deploy("limits", holdingCode("long"), { timeoutMs: 60_000 });
    const long = new HeldCall(`${server.gatewayUrl}/limits`);
    await running("limits", 1);
    await server.api("PATCH", `${functions}/limits`, { timeoutMs: 2500 });
    const short = new HeldCall(`${server.gatewayUrl}/limits`);
    await running("limits", 2);
    await server.api("PATCH", `${functions}/limits`, { timeoutMs: 60_000 });
    const cut = await short.answer;
    assert.deepEqual(
      [cut.status, cut.json.error.code, cut.json.error.limitMs],
      [504, "function_timeout", 2500],
    );
    assert.deepEqual(await long.release(), { status: 200, json: { code: "long", env: null } });
  });
});

describe("a delete while the function is called", () => {
  test("lets running calls finish; later ones find no function", async () => {
    await server.deploy("doomed", holdingCode("old"), { concurrency: 4 });
    const held = Array.from({ length: 3 }, () => new HeldCall(`${server.gatewayUrl}/doomed`));
    await running("doomed", 3);
    const { json } = await server.api("DELETE", `${functions}/doomed`);
    assert.deepEqual(json, { name: "doomed", applied: true });
    const later = await server.call("/doomed");
    assert.deepEqual([later.status, later.json.error.code], [404, "route_not_found"]);
    await server.deploy("doomed", holdingCode("new"));
    assert.equal((await server.call("/doomed")).json.code, "new");
    for (const call of held)
      assert.deepEqual(await call.release(), { status: 200, json: { code: "old", env: null } });
  });
});
