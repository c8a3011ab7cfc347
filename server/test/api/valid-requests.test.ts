import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ImageEvent } from "@isola/api/images";
import fc from "fast-check";
import Value from "typebox/value";
import { tarOf, zipOf } from "../../src/artifacts/archives.fixture.ts";
import { startFakeEngine } from "../../src/images/fake-engine.fixture.ts";
import { TestServer, eventually } from "../harness.ts";
import { checkAnswer, runs } from "./check-answer.ts";
import { MARK, knownValues } from "./known-values.ts";
import { type Operation, nameOf, readOperations } from "./operations.ts";
import { type RawAnswer, sendRaw } from "./raw-http.ts";
import { type Given, type Request, requestsOf, toRaw } from "./requests.ts";

const source = "export const handler = async (event) => ({ echoed: event });";
const engine = await startFakeEngine();
const server = new TestServer({ ISOLA_DOCKER_HOST: engine.host });
const subjects = new Map<string, Subject>();
let operations: Operation[];
let archives: Record<string, Buffer>;
let readKey = "";
let counter = 0;

/** What a call needs to exist before, and how its answer shows that it was understood. */
interface Subject {
  runs: number;
  path(): Promise<Record<string, string>>;
  values?: Given["values"];
  hold?(request: Request, answer: any): Promise<void> | void;
}

const schedules = [{ name: "leap", cron: "0 0 29 2 *" }];

before(async () => {
  await server.start();
  // What guests of virtual machines are made of takes minutes to make, and a debug session is as long as its answer.
  const leftOut = /^\/api\/v1\/vm|\/debug-sessions/;
  operations = (await readOperations(server)).filter(({ path }) => !leftOut.test(path));
  for (const name of ["target", "echo", "third"])
    await server.deploy(name, { "index.mjs": source }, { env: { SECRET: MARK }, schedules });
  await server.api("POST", "/api/v1/projects", { name: "team" });
  const key = await server.api("POST", "/api/v1/keys", { name: "reader", scopes: ["read"] });
  readKey = key.json.key;
  const invoked = await server.api("POST", "/api/v1/functions/echo/invocations", { event: 1 });
  assert.equal(invoked.json.outcome, "ok");
  const records = "/api/v1/functions/echo/invocations?limit=1";
  await eventually("a record", async () => (await server.api("GET", records)).json.items[0]);
  await addSubjects(invoked.json.id);
});

after(async () => {
  await server.dispose();
  await engine.close();
});

async function addSubjects(invocationId: string): Promise<void> {
  const tar = await tarOf([{ name: "index.mjs", text: source }]);
  archives = {
    "application/zip": await zipOf([["index.mjs", Buffer.from(source)]]),
    "application/x-tar": tar,
    "application/gzip": gzipSync(tar),
  };
  const at = (path: Record<string, string>, values: Given["values"] = {}) => ({
    path: async () => path,
    values,
  });
  const target = { name: "target" };
  const first = { revision: fc.constant(1), "query.revision": fc.constant(1) };
  for (const operation of operations)
    subjects.set(nameOf(operation), { runs: 25, ...at(target, first) });
  const code = { "": knownValues.get("code") as fc.Arbitrary<unknown> };
  const functions = "/api/v1/functions";
  subjects.set(`POST ${functions}`, { runs: 80, ...at({}), hold: holdCreated });
  subjects.set(`PATCH ${functions}/{name}`, { runs: 120, ...at(target), hold: holdEchoed });
  subjects.set(`PUT ${functions}/{name}/code`, { runs: 50, ...at(target, code) });
  // All projects, or one that is named: not both.
  const ofAll = {
    "query.project": fc.constant(undefined),
    "query.projects": fc.constantFrom(undefined, "all"),
  };
  subjects.set(`GET ${functions}`, { runs: 120, ...at({}, ofAll) });
  for (const list of ["invocations", "events"])
    subjects.set(`GET /api/v1/${list}`, { runs: 25, ...at({}, ofAll) });
  subjects.set("GET /api/v1/invocations/{id}", { runs: 5, ...at({ id: invocationId }) });
  subjects.set(`DELETE ${functions}/{name}`, { runs: 20, path: newFunction });
  subjects.set("DELETE /api/v1/keys/{id}", { runs: 20, path: newKey });
  subjects.set("POST /api/v1/images", { runs: 25, ...at({}), hold: holdBuilt });
  const signIn = { "": fc.constant({ key: server.adminKey }) };
  subjects.set("POST /api/v1/session", { runs: 5, ...at({}, signIn) });
  const projects = "/api/v1/projects";
  const named = { name: fc.nat().map(() => `project-${counter++}`), driver: anyDriver };
  subjects.set(`POST ${projects}`, { runs: 25, ...at({}, named), hold: holdProject });
  subjects.set(`GET ${projects}/{name}`, { runs: 5, ...at({ name: "default" }) });
  const ofOne = at({ name: "team" }, { driver: anyDriver });
  subjects.set(`PATCH ${projects}/{name}`, { runs: 40, ...ofOne, hold: holdProject });
  subjects.set(`DELETE ${projects}/{name}`, { runs: 20, path: newProject });
  const comparisons = "/api/v1/comparisons";
  const compared = { ...at({}, comparisonValues), runs: 15, hold: holdCompared };
  subjects.set(`POST ${comparisons}`, compared);
  for (const path of [`${comparisons}/{id}`, `${comparisons}/{id}/export`])
    subjects.set(`GET ${path}`, { runs: 5, path: endedComparison });
  subjects.set(`DELETE ${comparisons}/{id}`, { runs: 5, path: endedComparison });
  const priced = {
    "query.function": fc.constant("echo"),
    "query.comparison": fc.constant(undefined),
  };
  // A time has to begin before it ends.
  const costs = { ...priced, "query.since": fc.constant(0) };
  // Which of them may stand together, no schema says.
  const measured = {
    ...{ "query.revision": fc.constant(undefined), "query.outcome": fc.constant(undefined) },
    ...{ "query.startKind": fc.constant(undefined), "query.since": fc.constant(undefined) },
    ...{ "query.until": fc.constant(undefined), "query.stepMs": fc.constantFrom(60_000, 300_000) },
    "query.metric": fc.constantFrom(undefined, ["invocations"], ["duration", "sandboxes"]),
    "query.groupBy": fc.constantFrom(undefined, ["driver"], ["function", "project"]),
  };
  subjects.set("GET /api/v1/metrics", { runs: 25, ...at({}, measured) });
  subjects.set("GET /api/v1/cost", { runs: 15, ...at({}, costs) });
  const echo = at({ name: "echo" }, { "": invokeBodies });
  const leap = at({ name: "echo", schedule: "leap" });
  subjects.set(`POST ${functions}/{name}/schedules/{schedule}/run`, { runs: 10, ...leap });
  subjects.set(`POST ${functions}/{name}/invocations`, { runs: 60, ...echo, hold: holdInvoked });
}

/** Without what would make them long: each is cancelled as soon as it has begun. */
const comparisonValues = {
  function: fc.constant("echo"),
  drivers: fc.constantFrom(["process"], ["process", "docker"]),
  durationMs: fc.constantFrom(50, 100),
  request: fc.constant(undefined),
};

async function holdCompared({ body }: Request, answer: any): Promise<void> {
  const { function: name, event: _event, drivers, ...numbers } = body as Record<string, unknown>;
  assert.equal(answer.function, name);
  for (const [member, value] of Object.entries(numbers))
    if (member !== "mixes") assert.equal(answer.parameters[member], value, member);
  if (drivers !== undefined) assert.deepEqual(answer.parameters.drivers, drivers);
  const ended = await server.api("DELETE", `/api/v1/comparisons/${answer.id}`);
  // A short one may have ended by itself.
  assert.match(ended.json.state, /^(cancelled|removed)$/);
}

/** One that was cancelled; where it had ended before that, it was removed instead, and another one is made. */
async function endedComparison(): Promise<Record<string, string>> {
  for (;;) {
    const made = await server.api("POST", "/api/v1/comparisons", { function: "echo" });
    const path = `/api/v1/comparisons/${made.json.id}`;
    await server.api("DELETE", path);
    if ((await server.api("GET", path)).status === 200) return { id: made.json.id };
  }
}

async function newFunction(): Promise<Record<string, string>> {
  const name = `gone-${counter++}`;
  await server.deploy(name, { "index.mjs": source });
  return { name };
}

const anyDriver = fc.constantFrom(null, "process", "docker", "gvisor");

async function newProject(): Promise<Record<string, string>> {
  const name = `gone-${counter++}`;
  assert.equal((await server.api("POST", "/api/v1/projects", { name })).status, 201);
  return { name };
}

/** What was given is what the project has now, and what it is read with. */
async function holdProject({ body }: Request, answer: any): Promise<void> {
  for (const [name, value] of Object.entries(body as object)) assert.deepEqual(answer[name], value);
  const { json } = await server.api("GET", `/api/v1/projects/${answer.name}`);
  assert.deepEqual(json, answer);
}

async function newKey(): Promise<Record<string, string>> {
  const made = await server.api("POST", "/api/v1/keys", { name: "k", scopes: ["read"] });
  return { id: made.json.id };
}

const header = fc.tuple(fc.stringMatching(/^x-[a-z]{1,20}$/), fc.stringMatching(/^[ -~]{0,40}$/));
const httpRequest = fc.record(
  {
    method: fc.constantFrom("GET", "POST", "DELETE"),
    path: fc.stringMatching(/^\/[!-~]{0,40}$/),
    headers: fc.array(header, { maxLength: 5 }),
  },
  { requiredKeys: [] },
);
const httpBody = fc.oneof(
  fc.constant({}),
  fc.string({ unit: "binary" }).map((body) => ({ body })),
  fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => ({ bodyBase64: Buffer.from(bytes).toString("base64") })),
);
/** Exactly one of the two. */
const invokeBodies = fc.oneof(
  fc.jsonValue().map((event) => ({ event })),
  fc.tuple(httpRequest, httpBody).map(([one, body]) => ({ request: { ...one, ...body } })),
);

async function holdCreated(request: Request, answer: any): Promise<void> {
  holdEchoed(request, answer);
  const { name } = request.body as { name: string };
  const { json } = await server.api("GET", `/api/v1/functions/${name}`);
  const { applied: _applied, ...made } = answer;
  assert.deepEqual(json, made);
  assert.equal((await server.api("DELETE", `/api/v1/functions/${name}`)).status, 200);
}

/** What was given is what the function has now. */
function holdEchoed({ body }: Request, answer: any): void {
  const given = body as Record<string, any>;
  const { code: _code, runtime: _runtime, route, build, schedules: asked, ...members } = given;
  const unbuilt = { dependencies: "auto", scripts: false, bundle: false };
  if (build !== undefined) assert.deepEqual(answer.build, { ...unbuilt, ...build });
  if (asked !== undefined) assert.deepEqual(answer.schedules, JSON.parse(filledIn(asked)));
  for (const [name, value] of Object.entries(members)) assert.deepEqual(answer[name], value, name);
  if (route !== undefined) assert.equal(answer.route?.path ?? null, route?.path ?? null);
}

function filledIn(schedules: readonly { cron: string }[]): string {
  const filled = schedules.map((one) => ({
    ...{ timeZone: "UTC", enabled: true, ...one },
    cron: one.cron.replaceAll("  ", " "),
  }));
  return JSON.stringify(filled);
}

function holdInvoked({ body }: Request, answer: any): void {
  assert.equal(answer.outcome, "ok", JSON.stringify(answer));
  const { event } = body as { event?: unknown };
  const sent = JSON.parse(JSON.stringify({ echoed: event }));
  if (event !== undefined) assert.deepEqual(JSON.parse(answer.body), sent);
}

/** Each line is an event as the document has it; nothing follows the last. */
function holdBuilt(_request: Request, text: string): void {
  const events = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const event of events) assert.deepEqual(Value.Errors(ImageEvent, event), []);
  assert.equal(
    events.findIndex(({ type }) => type === "done"),
    events.length - 1,
    text,
  );
}

/** The rest of the list, page by page, to its end. */
async function holdPages(operation: Operation, request: Request, answer: any): Promise<void> {
  for (let page = answer, turn = 0; page.nextCursor !== null && turn < 5; turn += 1) {
    const query = [...request.query, ["cursor", page.nextCursor] as [string, string]];
    const next = await sendRaw(
      server.apiUrl,
      toRaw(operation, { ...request, query }, server.adminKey),
    );
    checkAnswer(operation, next);
    assert.equal(next.status, 200, next.text);
    page = next.json;
  }
}

const headersOf = fc.record({
  isGuarded: fc.constantFrom("no", "any", "etag", "weak"),
  isRepeated: fc.boolean(),
});

/** `If-Match` that holds and an `Idempotency-Key` that is new, where the call takes them. */
async function withHeaders(
  operation: Operation,
  request: Request,
  asked: { isGuarded: string; isRepeated: boolean },
): Promise<Request> {
  const takes = new Set(
    operation.parameters.filter((one) => one.in === "header").map(({ name }) => name),
  );
  const headers: Record<string, string> = {};
  if (takes.has("idempotency-key") && asked.isRepeated)
    headers["idempotency-key"] = `key-${counter++}`;
  if (takes.has("if-match") && asked.isGuarded !== "no") {
    const [resource] = operation.path.split("/{");
    const { json } = await server.api("GET", `${resource}/${request.path.name}`);
    const tags: Record<string, string> = { any: "*", etag: json.etag, weak: `W/${json.etag}` };
    headers["if-match"] = tags[asked.isGuarded] as string;
  }
  return { ...request, headers };
}

async function holdRepeated(
  operation: Operation,
  request: Request,
  first: RawAnswer,
): Promise<void> {
  const second = await sendRaw(server.apiUrl, toRaw(operation, request, server.adminKey));
  checkAnswer(operation, second);
  assert.equal(second.status, first.status);
  assert.equal(second.headers.get("isola-replayed"), "true");
  const withoutKey = (json: unknown) => ({ ...(json as object), key: null });
  assert.deepEqual(withoutKey(second.json), withoutKey(first.json));
}

describe("every request that the API's document allows", () => {
  test("is answered as the document says, and what it asks for is done", async () => {
    assert.ok(operations.length > 20);
    for (const operation of operations) {
      const subject = subjects.get(nameOf(operation)) as Subject;
      const requests = requestsOf(operation, { archives, values: subject.values ?? {} });
      const property = fc.asyncProperty(requests, headersOf, async (asked, headers) => {
        const path = await subject.path();
        const request = await withHeaders(operation, { ...asked, path }, headers);
        const answer = await sendRaw(server.apiUrl, toRaw(operation, request, server.adminKey));
        checkAnswer(operation, answer);
        assert.ok(answer.status < 300, `${nameOf(operation)} ${answer.status} ${answer.text}`);
        if (request.headers["idempotency-key"] !== undefined)
          await holdRepeated(operation, request, answer);
        const { json } = answer as { json: any };
        if (Array.isArray(json?.items)) await holdPages(operation, request, json);
        await subject.hold?.(request, json ?? answer.text);
      });
      await fc.assert(property, runs(subject.runs));
    }
  });

  test("shows a key that may only read no value of env, whatever it asks for", async () => {
    for (const operation of operations.filter(({ method }) => method === "GET")) {
      const subject = subjects.get(nameOf(operation)) as Subject;
      const requests = requestsOf(operation, { archives, values: subject.values ?? {} });
      const path = await subject.path();
      const property = fc.asyncProperty(requests, async (request) => {
        const answer = await sendRaw(
          server.apiUrl,
          toRaw(operation, { ...request, path }, readKey),
        );
        checkAnswer(operation, answer);
        assert.ok(!answer.text.includes(MARK), answer.text);
        assert.ok(!answer.text.includes(server.adminKey.slice(-32)));
      });
      await fc.assert(property, runs(10));
    }
  });
});
