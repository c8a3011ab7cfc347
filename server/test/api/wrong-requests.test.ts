import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { tarOf, zipOf } from "../../src/artifacts/archives.fixture.ts";
import { TestServer } from "../harness.ts";
import { checkAnswer, checkError, runs } from "./check-answer.ts";
import { type Damage, type Keys, damages } from "./damage.ts";
import { MARK, knownValues } from "./known-values.ts";
import { type Operation, nameOf, readOperations } from "./operations.ts";
import { sendRaw } from "./raw-http.ts";
import { type Request, requestsOf } from "./requests.ts";

const source = "export const handler = async (event) => ({ echoed: event });";
const server = new TestServer();
let operations: Operation[];
let archives: Record<string, Buffer>;
let keys: Keys;
let keyId = "";

const schedules = [{ name: "leap", cron: "0 0 29 2 *" }];

before(async () => {
  await server.start();
  operations = await readOperations(server);
  await server.api("POST", "/api/v1/projects", { name: "target" });
  for (const name of ["target", "other"])
    await server.deploy(name, { "index.mjs": source }, { env: { SECRET: MARK }, schedules });
  const tar = await tarOf([{ name: "index.mjs", text: source }]);
  archives = {
    "application/zip": await zipOf([["index.mjs", Buffer.from(source)]]),
    "application/x-tar": tar,
    "application/gzip": gzipSync(tar),
  };
  const makeKey = async (scope: string) =>
    (await server.api("POST", "/api/v1/keys", { name: scope, scopes: [scope] })).json;
  const [read, revoked] = [await makeKey("read"), await makeKey("admin")];
  keyId = read.id;
  await server.api("DELETE", `/api/v1/keys/${revoked.id}`);
  const [, id] = server.adminKey.split("_");
  const useless = [revoked.key, `isola_${id}_${"0".repeat(64)}`, `isola_nope_${"0".repeat(64)}`];
  keys = { admin: server.adminKey, useless, read: read.key };
});

after(() => server.dispose());

/** Everything that a call could have changed. */
async function stateOf(): Promise<unknown> {
  const functions = await server.api("GET", "/api/v1/functions?limit=200");
  const all = await server.api("GET", "/api/v1/keys?limit=200");
  const projects = await server.api("GET", "/api/v1/projects?limit=200");
  assert.equal(functions.status + all.status + projects.status, 600);
  const untouched = all.json.items.map(({ lastUsedAt: _at, ...key }: any) => key);
  return [functions.json, untouched, projects.json];
}

function pathOf({ path }: Operation): Record<string, string> {
  if (path.includes("{id}")) return { id: path.includes("keys") ? keyId : "no-such-invocation" };
  return path.includes("{name}") ? { name: "target", schedule: "leap" } : {};
}

/** Allowed requests, of which one thing is then broken. */
function allowed(operation: Operation): fc.Arbitrary<Request> {
  const isCode = operation.path.endsWith("/code");
  const values = {
    revision: fc.constant(1),
    "query.revision": fc.constant(1),
    ...(isCode && { "": knownValues.get("code") as fc.Arbitrary<unknown> }),
    ...(operation.path.endsWith("/invocations") && {
      "": fc.constantFrom({ event: MARK }, { request: { body: MARK } }),
    }),
  };
  const path = pathOf(operation);
  return requestsOf(operation, { archives, values }).map((request) => ({ ...request, path }));
}

async function holdRefused(operation: Operation, damage: Damage, times: number): Promise<void> {
  let state = await stateOf();
  const cases = allowed(operation).chain(
    (request) => damage(operation, request, keys) ?? fc.constant(null),
  );
  const property = fc.asyncProperty(cases, async (damaged) => {
    if (damaged === null) return;
    const answer = await sendRaw(server.apiUrl, damaged.raw);
    if (answer === null) assert.ok(damaged.isCut, "no answer");
    else {
      assert.ok(damaged.statuses.includes(answer.status), `${answer.status} ${answer.text}`);
      if (damaged.raw.method === operation.method && answer.json !== undefined)
        checkAnswer(operation, answer);
      if (answer.json !== undefined) checkError(answer);
      assert.ok(!answer.text.includes(MARK), "a secret in an error");
      for (const key of [keys.admin, ...keys.useless])
        assert.ok(!answer.text.includes(key.split("_")[2] as string), "a key in an error");
    }
    const [before, now] = [state, await stateOf()];
    state = now;
    assert.deepEqual(now, before);
  });
  await fc.assert(property, runs(times));
}

describe("a request that the API's document does not allow", () => {
  for (const [what, damage] of Object.entries(damages))
    test(`for ${what} is refused as documented and changes nothing`, async (t) => {
      for (const operation of operations)
        await t.test(nameOf(operation), async () => {
          const times = what.includes("member") ? 150 : 15;
          const [sample] = fc.sample(allowed(operation), { numRuns: 1 });
          const applies = damage(operation, sample as Request, keys) !== null;
          await holdRefused(operation, damage, applies || what.includes("archive") ? times : 0);
        });
    });
});

describe("an event as deep as a body may be", () => {
  test("is invoked or refused, and never a defect", async () => {
    const operation = operations.find(
      ({ path, method }) => path.endsWith("/invocations") && method === "POST",
    ) as Operation;
    for (const depth of [100, 2000, 10_000, 400_000]) {
      const body = Buffer.from(`{"event":${"[".repeat(depth)}${"]".repeat(depth)}}`);
      const answer = await sendRaw(server.apiUrl, {
        ...{ method: "POST", target: "/api/v1/functions/target/invocations", body },
        headers: [
          ["authorization", `Bearer ${keys.admin}`],
          ["content-type", "application/json"],
        ],
      });
      checkAnswer(operation, answer);
    }
  });
});
