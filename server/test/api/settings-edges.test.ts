import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { settingLimits } from "@isola/api/limits";
import { type Answer, TestServer } from "../harness.ts";

const CAP = 20_000;
const files = {
  "index.mjs": "export const handler = () => new Promise(() => setInterval(() => {}, 9));",
};
const functions = "/api/v1/functions";
const env = { ISOLA_BLANK_PYTHON: "0", ISOLA_TIMEOUT_MS_MAX: String(CAP) };
const server = new TestServer(env);

before(async () => {
  await server.start();
  await server.deploy("edges", files);
});
after(() => server.dispose());

type Limits = Record<string, { least: number; most: number }>;
const limits: Limits = { ...settingLimits, timeoutMs: { least: 1, most: CAP } };
const patch = (text: string) =>
  server.api("PATCH", `${functions}/edges`, Buffer.from(text), {
    "content-type": "application/json",
  });

/** What JSON can hold in the place of a number, by how it is written. */
function wrongTexts({ least, most }: { least: number; most: number }): string[] {
  const numbers = [least - 1, -1, -least, most + 1, least + 0.5, most - 0.5, 1e308].map(String);
  const huge = ["1e999", "-1e999", "1e-7", "9007199254740993", "0.1"];
  const others = ["null", "true", `"${least}"`, '""', '"NaN"', "[]", `[${least}]`, "{}"];
  return [...numbers, ...huge, ...others].filter((text) => text !== String(least));
}

function assertRefused(answer: Answer, name: string, text: string): void {
  assert.equal(answer.status, 400, `${name}: ${text} gave ${answer.text}`);
  const { code, details } = answer.json.error;
  assert.equal(code, "invalid_request");
  assert.deepEqual(
    details.map(({ path }: { path: string }) => path),
    [name],
  );
  const [{ expected, given }] = details;
  assert.match(expected, /^(integer from|at most) \d+/, text);
  const number = Number(text);
  const shown = text.startsWith("[") || text.startsWith("{") ? given : text;
  assert.ok([shown, String(number)].includes(given), `${text} is told as ${given}`);
}

describe("the numbers of a function", () => {
  for (const [name, { least, most }] of Object.entries(limits)) {
    test(`${name} takes whole numbers from ${least} to ${most} and nothing else`, async () => {
      const { json: unchanged } = await server.api("GET", `${functions}/edges`);
      for (const text of wrongTexts({ least, most })) {
        assertRefused(await patch(`{"${name}":${text}}`), name, text);
        const body = `{"name":"no","runtime":"nodejs","code":{"files":{"a":""}},"${name}":${text}}`;
        const headers = { "content-type": "application/json" };
        assertRefused(await server.api("POST", functions, Buffer.from(body), headers), name, text);
      }
      assert.deepEqual((await server.api("GET", `${functions}/edges`)).json, unchanged);
      assert.equal((await server.api("GET", `${functions}/no`)).status, 404);
      // So many sandboxes would be started.
      const taken = name === "minSandboxes" ? [least] : [least, least + 1, most];
      for (const value of taken) {
        const answer = await patch(`{"${name}":${value}}`);
        assert.deepEqual([answer.status, answer.json[name]], [200, value], answer.text);
      }
      const { json } = await patch(`{"${name}":${unchanged[name]}.0}`);
      assert.equal(json[name], unchanged[name]);
    });
  }

  test("timeoutMs of 1 ends a call after it, and leaves the server as it was", async () => {
    await server.deploy("short", files, { timeoutMs: 1 });
    for (let turn = 0; turn < 5; turn += 1) {
      const { status, json } = await server.call("/short");
      assert.deepEqual([status, json.error.code, json.error.limitMs], [504, "function_timeout", 1]);
    }
    const quick = { "index.mjs": "export const handler = () => 'done';" };
    await server.api("PUT", `${functions}/short/code`, { files: quick });
    await server.api("PATCH", `${functions}/short`, { timeoutMs: CAP });
    assert.equal((await server.call("/short")).text, "done");
  });
});

describe("the operator's cap on timeoutMs", () => {
  test("is named where it is exceeded, and lowers the default", async () => {
    const body = { name: "capped", runtime: "nodejs", code: { files } };
    const refused = await server.api("POST", functions, { ...body, timeoutMs: CAP + 1 });
    assert.equal(refused.status, 400);
    const expected = `at most ${CAP}, the setting timeoutMsMax of this server`;
    assert.deepEqual(refused.json.error.details, [
      { path: "timeoutMs", expected, given: String(CAP + 1) },
    ]);
    assert.equal((await server.api("POST", functions, body)).json.timeoutMs, CAP);
  });

  test("when it is lowered later, lets what is deployed run and makes no such revision live any more", async () => {
    const answer = { "index.mjs": "export const handler = () => 'still here';" };
    await server.deploy("old", answer, { timeoutMs: CAP });
    await server.api("PATCH", `${functions}/old`, { timeoutMs: 500 });
    await server.deploy("older", answer, { timeoutMs: CAP });
    await server.stop();
    env.ISOLA_TIMEOUT_MS_MAX = "1000";
    await server.start();
    const path = `${functions}/older`;
    assert.equal((await server.call("/older")).text, "still here");
    for (const refused of [
      await server.api("PUT", `${path}/code`, { files }),
      await server.api("PATCH", path, { memoryMiB: 256 }),
      await server.api("POST", `${functions}/old/rollback`, { revision: 1 }),
    ]) {
      assert.equal(refused.status, 400, refused.text);
      assert.match(refused.json.error.message, /timeoutMs: expected at most 1000.*timeoutMsMax/);
    }
    assert.equal((await server.api("PATCH", path, { description: "as it was" })).status, 200);
    assert.equal((await server.api("PATCH", path, { timeoutMs: 1000 })).json.timeoutMs, 1000);
    assert.equal((await server.api("PUT", `${path}/code`, { files: answer })).status, 200);
  });
});
