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

describe("settings of scaling", () => {
  const details = (answer: Answer) => answer.json.error.details[0];

  test("idleTimeoutMs takes auto, and a number again", async () => {
    assert.equal((await patch('{"idleTimeoutMs":"auto"}')).json.idleTimeoutMs, "auto");
    assert.equal((await patch('{"memoryMiB":256}')).json.idleTimeoutMs, "auto");
    assert.equal((await patch('{"idleTimeoutMs":1000}')).json.idleTimeoutMs, 1000);
    const refused = await patch('{"idleTimeoutMs":"never"}');
    assert.equal(refused.status, 400);
    assert.match(details(refused).expected, /integer from 1000 to 86400000.*auto/);
  });

  test("concurrencyTarget is at most concurrency, also where that is lowered later", async () => {
    const both = '{"concurrency":4,"concurrencyTarget":4}';
    assert.equal((await patch(both)).json.concurrencyTarget, 4);
    for (const text of ['{"concurrency":3}', '{"concurrency":3,"concurrencyTarget":4}']) {
      const refused = await patch(text);
      const expected = "at most concurrency (3)";
      assert.deepEqual(details(refused), { path: "concurrencyTarget", expected, given: "4" });
    }
    assert.equal((await patch('{"concurrencyTarget":null}')).json.concurrencyTarget, null);
  });

  test("reservedConcurrency leaves a place for the others", async () => {
    assert.equal((await patch('{"reservedConcurrency":9999}')).json.reservedConcurrency, 9999);
    const refused = await patch('{"reservedConcurrency":10000}');
    assert.match(details(refused).expected, /less than 10000, the setting invocationsMax/);
    assert.equal((await patch('{"reservedConcurrency":null}')).json.reservedConcurrency, null);
  });

  test("reservedConcurrency of 1 answers a second call at once with 429, and not one of another function", async () => {
    const slow = "export const handler = () => new Promise((done) => setTimeout(done, 600));";
    await server.deploy("one", { "index.mjs": slow }, { reservedConcurrency: 1 });
    await server.deploy("other", { "index.mjs": "export const handler = () => 'other';" });
    const paths = ["/one", "/one", "/other"];
    const answers = await Promise.all(paths.map((path) => server.call(path)));
    const refused = answers.find(({ status }) => status === 429);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 429]);
    assert.equal(refused?.json.error.code, "too_many_requests");
    assert.match(refused?.json.error.message, /reservedConcurrency is 1/);
    assert.ok(refused?.headers.get("retry-after"));
    assert.equal(answers[2]?.text, "other");
    assert.equal((await server.call("/one")).status, 200);
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
