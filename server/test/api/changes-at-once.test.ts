import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Answer, TestServer } from "../harness.ts";
import { holdingCode } from "./held-call.ts";

const server = new TestServer({ ISOLA_BLANK_PYTHON: "0" });
before(() => server.start());
after(() => server.dispose());

const functions = "/api/v1/functions";

const putCode = (name: string, mark: string, headers = {}) =>
  server.api("PUT", `${functions}/${name}/code`, { files: holdingCode(mark) }, headers);
const patchMark = (name: string, mark: string, headers = {}) =>
  server.api("PATCH", `${functions}/${name}`, { env: { MARK: mark } }, headers);
const rollback = (name: string, revision: number) =>
  server.api("POST", `${functions}/${name}/rollback`, { revision });

interface Change {
  kind: "code" | "env" | "rollback";
  mark: string;
  answer: Answer;
}

/** All at once: code, settings and rollbacks in turn. */
function changeAtOnce(name: string, count: number): Promise<Change[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, at): Promise<Change> => {
      const mark = `m${at}`;
      if (at % 5 === 4) return { kind: "rollback", mark, answer: await rollback(name, 1) };
      if (at % 2 === 0) return { kind: "code", mark, answer: await putCode(name, mark) };
      return { kind: "env", mark, answer: await patchMark(name, mark) };
    }),
  );
}

const versionOf = ({ json }: Answer) => Number(/^"v(\d+)"$/.exec(json.etag)?.[1]);

describe("changes of one function at once", () => {
  test("happen one after the other: numbers without gaps, each on top of the one before, the last one stays", async () => {
    const first = await server.deploy("mixed", holdingCode("m"), { env: { MARK: "m" } });
    const changes = await changeAtOnce("mixed", 60);
    for (const { answer } of changes) assert.equal(answer.status, 200, answer.text);
    const inOrder = changes.toSorted((a, b) => versionOf(a.answer) - versionOf(b.answer));
    assert.deepEqual(
      inOrder.map(({ answer }) => versionOf(answer)),
      Array.from({ length: 60 }, (_, at) => at + 2),
    );
    const marks = new Map([[1, { code: "m", env: "m" }]]);
    const digests = new Map([["m", first.codeDigest]]);
    let live = { code: "m", env: "m" };
    let latest = 1;
    for (const { kind, mark, answer } of inOrder) {
      if (kind === "rollback") live = { code: "m", env: "m" };
      else {
        latest += 1;
        live = kind === "code" ? { ...live, code: mark } : { ...live, env: mark };
        marks.set(latest, live);
      }
      if (kind === "code") digests.set(mark, answer.json.codeDigest);
      assert.equal(answer.json.latestRevision, latest);
      assert.equal(answer.json.liveRevision, kind === "rollback" ? 1 : latest);
      assert.equal(answer.json.env.MARK, live.env);
      assert.equal(answer.json.codeDigest, digests.get(live.code));
    }
    const { json: last } = await server.api("GET", `${functions}/mixed`);
    const { applied: _applied, ...answered } = (inOrder.at(-1) as Change).answer.json;
    assert.deepEqual(last, answered);
    const { json: page } = await server.api("GET", `${functions}/mixed/revisions?limit=200`);
    assert.deepEqual(
      page.items.map((row: any) => [row.revision, row.env.MARK, row.codeDigest]),
      [...marks]
        .toSorted(([a], [b]) => b - a)
        .map(([revision, { code, env }]) => [revision, env, digests.get(code)]),
    );
    assert.deepEqual((await server.call("/mixed")).json, live);
  });

  test("for one and the same If-Match: one is made, the others are told that it has passed", async () => {
    const { etag } = await server.deploy("guarded", holdingCode("m"), { env: { MARK: "m" } });
    const headers = { "if-match": etag };
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        at % 2 === 0
          ? putCode("guarded", `g${at}`, headers)
          : patchMark("guarded", `g${at}`, headers),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const { status, json } of answers.filter((answer) => answer.status !== 200))
      assert.deepEqual([status, json.error.code], [412, "precondition_failed"]);
    const { json } = await server.api("GET", `${functions}/guarded`);
    assert.deepEqual([json.etag, json.latestRevision], ['"v2"', 2]);
  });
});

describe("creates of one name at once", () => {
  test("make one function, whose code is that of the create that was answered", async () => {
    const creates = await Promise.all(
      Array.from({ length: 30 }, async (_, at) => {
        const body = { name: "raced", runtime: "nodejs", code: { files: holdingCode(`c${at}`) } };
        return {
          at,
          answer: await server.api("POST", functions, { ...body, env: { MARK: `c${at}` } }),
        };
      }),
    );
    const made = creates.filter(({ answer }) => answer.status === 201);
    assert.equal(made.length, 1);
    for (const { answer } of creates.filter((one) => one.answer.status !== 201))
      assert.deepEqual([answer.status, answer.json.error.code], [409, "conflict"]);
    const mark = `c${made[0]?.at}`;
    assert.deepEqual((await server.call("/raced")).json, { code: mark, env: mark });
    assert.equal((await server.api("GET", `${functions}/raced`)).json.latestRevision, 1);
  });

  test("of many names are all made", async () => {
    const statuses = await Promise.all(
      Array.from({ length: 120 }, async (_, at) => {
        const body = { runtime: "nodejs", code: { files: holdingCode(at) } };
        return (await server.api("POST", functions, { ...body, name: `many-${at}` })).status;
      }),
    );
    assert.deepEqual(new Set(statuses), new Set([201]));
    assert.equal((await server.call("/many-77")).json.code, 77);
  });

  test("with conflicting routes make one function", async () => {
    const creates = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        server.api("POST", functions, {
          ...{ name: `route-${at}`, runtime: "nodejs", route: { path: `/raced-route/:p${at}` } },
          code: { files: holdingCode(`r${at}`) },
        }),
      ),
    );
    assert.equal(creates.filter(({ status }) => status === 201).length, 1);
    for (const { status, json } of creates.filter((answer) => answer.status !== 201))
      assert.deepEqual([status, json.error.code], [409, "route_conflict"]);
    const { json } = await server.call("/raced-route/x");
    const made = creates.find(({ status }) => status === 201)?.json.name as string;
    assert.equal(json.code, made.replace("route-", "r"));
  });
});

describe("a delete while the function is deployed", () => {
  test("leaves nothing behind: changes before it are made, those after it find no function", async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      await server.deploy("brief", holdingCode("old"), { env: { MARK: "old" } });
      const before = Array.from({ length: 6 }, (_, at) => putCode("brief", `b${at}`));
      const deleted = server.api("DELETE", `${functions}/brief`);
      const later = Array.from({ length: 6 }, (_, at) => patchMark("brief", `b${at}`));
      for (const { status } of await Promise.all([...before, ...later]))
        assert.ok(status === 200 || status === 404, String(status));
      assert.equal((await deleted).status, 200);
      assert.equal((await server.api("GET", `${functions}/brief`)).status, 404);
      assert.equal((await server.call("/brief")).json.error.code, "route_not_found");
      const again = await server.deploy("brief", holdingCode("new"), { env: { MARK: "new" } });
      assert.equal(again.latestRevision, 1);
      assert.deepEqual((await server.call("/brief")).json, { code: "new", env: "new" });
      await server.api("DELETE", `${functions}/brief`);
    }
  });
});
