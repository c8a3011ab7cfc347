import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tarOf, unzip } from "./archives.ts";

type Json = Record<string, unknown>;

interface KeptFunction {
  view: Json & { name: string; liveRevision: number; latestRevision: number; etag: string };
  code: Map<string, { bytes: Buffer; mode: number }>;
}

/** A server with the shapes of the API and nothing behind them, for what the command line sends and shows. */
export interface FakeApi {
  url: string;
  functions: Map<string, KeptFunction>;
  projects: Map<string, Json>;
  /** The project that each call names; null: none. */
  projectsAsked: (string | null)[];
  /** `POST /api/v1/functions`, one for each call. */
  calls: string[];
  /** Hears of each before it is answered. */
  onCall(call: string): void;
  /** What was asked behind the path of the last call. */
  query: URLSearchParams;
  /** Further answers, by `GET /path`. */
  answers: Record<string, unknown>;
  /** What is not found, by `GET /path`, and the message that says so. */
  missing: Record<string, string>;
  /** The last body, of JSON, that a call brought. */
  sent: unknown;
  /** The body of the last invocation that was asked for. */
  invoked: unknown;
  /** What invocations answer. */
  answer: Json;
  images: Json[];
  /** What a build of images was asked, and how it goes; a text is a line that is no JSON. */
  built: unknown;
  buildEvents: (Json | string)[];
  /** What a comparison was asked with, what it then answers turn by turn (the last one stays), and which were ended. */
  compared: unknown;
  comparison: Json[];
  ended: string[];
  cost: Json;
  costQuery: string;
  isReady: boolean;
  /** Where every call with a key is found faulty. */
  refused: string[];
  close(): Promise<void>;
}

export const fakeKey = "isola_test_secret";

const defaults = {
  description: "",
  labels: {},
  handler: "index.handler",
  route: null,
  driver: "process",
  memoryMiB: 128,
  timeoutMs: 30_000,
  env: {},
  exposeErrors: false,
  updatedAt: "2026-01-01T00:00:00.000Z",
};

export async function startFakeApi(): Promise<FakeApi> {
  const server = createServer((request, response) => void respond(api, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const api: FakeApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functions: new Map(),
    projects: new Map(),
    projectsAsked: [],
    calls: [],
    onCall() {},
    query: new URLSearchParams(),
    answers: {},
    missing: {},
    sent: null,
    invoked: null,
    answer: {},
    images: [],
    built: null,
    buildEvents: [],
    compared: null,
    comparison: [],
    ended: [],
    cost: {},
    costQuery: "",
    isReady: true,
    refused: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return api;
}

async function respond(api: FakeApi, request: IncomingMessage, response: ServerResponse) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? "/", api.url);
  api.calls.push(`${request.method} ${url.pathname}`);
  api.onCall(`${request.method} ${url.pathname}`);
  api.projectsAsked.push(url.searchParams.get("project"));
  api.query = url.searchParams;
  if (request.headers.authorization !== `Bearer ${fakeKey}` && url.pathname !== "/readyz") {
    return fail(response, 401, "unauthenticated", "No API key");
  }
  if (api.refused.length > 0) return refuse(response, api.refused);
  const body = Buffer.concat(chunks);
  if (request.headers["content-type"] === "application/json") api.sent = JSON.parse(String(body));
  const missing = api.missing[`${request.method} ${url.pathname}`];
  if (missing !== undefined) return fail(response, 404, "not_found", missing);
  if (api.answers[`${request.method} ${url.pathname}`])
    return send(response, 200, api.answers[`${request.method} ${url.pathname}`]);
  const [, name, rest] = /^\/api\/v1\/functions\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
  const project = /^\/api\/v1\/projects\/([^/]+)$/.exec(url.pathname)?.[1];
  if (project) return ofProject(api, response, { name: project, request, body });
  if (name) return ofFunction(api, response, { name, rest: rest ?? "", url, request, body });
  if (request.method === "POST" && ["/api/v1/images", "/api/v1/vm"].includes(url.pathname)) {
    api.built = JSON.parse(body.toString("utf8"));
    return sendLines(response, api.buildEvents);
  }
  if (url.pathname.startsWith("/api/v1/comparisons"))
    return ofComparison(api, response, { method: request.method ?? "", url, body });
  const answers: Record<string, () => unknown> = {
    "GET /api/v1/cost": () => {
      api.costQuery = url.search;
      return api.cost;
    },
    "GET /api/v1/images": () => page(api.images),
    "DELETE /api/v1/images": () => ({
      removed: ["isola/node:1-a"],
      kept: [{ reference: "isola/node:2-b", reason: "container 0123 uses it" }],
    }),
    "GET /api/v1/projects": () => page([...api.projects.values()]),
    "POST /api/v1/projects": () => {
      const given = JSON.parse(body.toString("utf8")) as Json;
      const made = { description: "", driver: null, url: `${api.url}/~${given.name}`, ...given };
      api.projects.set(String(given.name), { ...made, etag: '"v1"' });
      return made;
    },
    "GET /api/v1/vm": () => page(api.images),
    "DELETE /api/v1/vm": () => ({ removed: ["root-0123456789abcdef"] }),
    "DELETE /api/v1/vm/kernel": () => ({ removed: ["kernel-0123456789abcdef"] }),
    "GET /api/v1/functions": () => page([...api.functions.values()].map(({ view }) => view)),
    "POST /api/v1/functions": () => create(api, JSON.parse(body.toString("utf8")) as Json),
    "GET /api/v1/drivers": () => page([driver]),
    "GET /api/v1/runtimes": () => page([{ name: "nodejs26", family: "nodejs", version: "26.1.0" }]),
    "GET /api/v1/system": () => ({
      version: "0.1.0",
      gatewayUrl: "http://127.0.0.1:1",
      uptimeMs: 1,
    }),
    "GET /api/v1/session": () => ({
      ...{ keyId: "test", scopes: ["admin"], project: null, expiresAt: null },
    }),
    "GET /readyz": () => (api.isReady ? { status: "ready" } : null),
  };
  const asked = `${request.method} ${url.pathname}`;
  const answer = api.answers[asked] ?? answers[asked]?.();
  if (answer) return send(response, 200, answer);
  return fail(response, 503, "not_ready", "The gateway does not answer");
}

function ofComparison(
  api: FakeApi,
  response: ServerResponse,
  { method, url, body }: { method: string; url: URL; body: Buffer },
): void {
  const [, id, rest] = /^\/api\/v1\/comparisons\/?([^/]*)\/?(.*)$/.exec(url.pathname) ?? [];
  const now = () => (api.comparison.length > 1 ? api.comparison.shift() : api.comparison[0]);
  if (method === "POST") api.compared = JSON.parse(body.toString("utf8"));
  if (rest === "export") return void response.end(`table ${url.search}\r\n`);
  if (method === "DELETE") {
    api.ended.push(id ?? "");
    return send(response, 200, { id, state: "cancelled" });
  }
  send(
    response,
    method === "POST" ? 201 : 200,
    id === "" && method === "GET" ? page(api.comparison) : now(),
  );
}

interface FunctionCall {
  name: string;
  rest: string;
  url: URL;
  request: IncomingMessage;
  body: Buffer;
}

function ofProject(
  api: FakeApi,
  response: ServerResponse,
  { name, request, body }: Pick<FunctionCall, "name" | "request" | "body">,
): void {
  const kept = api.projects.get(name);
  if (!kept) return fail(response, 404, "not_found", `project "${name}" does not exist`);
  const ifMatch = request.headers["if-match"];
  if (request.method !== "GET" && ifMatch !== kept.etag)
    return fail(response, 412, "precondition_failed", "It has changed");
  if (request.method === "DELETE") api.projects.delete(name);
  if (request.method === "PATCH") {
    const etag = `"v${Number(String(kept.etag).slice(2, -1)) + 1}"`;
    Object.assign(kept, JSON.parse(body.toString("utf8")), { etag });
  }
  send(response, 200, kept);
}

function ofFunction(api: FakeApi, response: ServerResponse, call: FunctionCall): void {
  const { rest, request, body } = call;
  const kept = api.functions.get(call.name);
  if (!kept) return fail(response, 404, "not_found", `There is no function ${call.name}`);
  const ifMatch = request.headers["if-match"];
  if (ifMatch !== undefined && ifMatch !== kept.view.etag) {
    return fail(response, 412, "precondition_failed", "It has changed");
  }
  const json = () => JSON.parse(body.toString("utf8")) as Json;
  const answers: Record<string, () => unknown> = {
    "GET ": () => kept.view,
    "PATCH ": () => revise(kept, json()),
    "DELETE ": () => api.functions.delete(call.name) && { name: call.name, applied: true },
    "PUT code": () => revise(kept, {}, unzip(body)),
    "POST rollback": () => revise(kept, { liveRevision: json().revision }, kept.code, 0),
    "POST invocations": () => {
      api.invoked = json();
      return api.answer;
    },
  };
  if (request.method === "GET" && rest === "code") {
    response.writeHead(200, { "content-type": "application/x-tar" }).end(tarOf(kept.code));
    return;
  }
  send(response, 200, answers[`${request.method} ${rest}`]?.());
}

function create(api: FakeApi, { code, ...given }: Json): Json {
  const zip = Buffer.from((code as { zip: string }).zip, "base64");
  const name = String(given.name);
  const runtime = given.runtime === "nodejs" ? "nodejs26" : given.runtime;
  const url = `http://127.0.0.1:1/${name}`;
  const revisions = { liveRevision: 1, latestRevision: 1, etag: '"1"' };
  const view = { ...defaults, ...given, name, runtime, url, urls: [url], ...revisions };
  api.functions.set(name, { view, code: unzip(zip) });
  return { ...view, applied: true };
}

function revise(kept: KeptFunction, change: Json, code = kept.code, added = 1): Json {
  const latestRevision = kept.view.latestRevision + added;
  const etag = `"${Number(kept.view.etag.slice(1, -1)) + 1}"`;
  kept.view = { ...kept.view, liveRevision: latestRevision, latestRevision, ...change, etag };
  kept.code = code;
  return { ...kept.view, applied: true };
}

const driver = {
  name: "process",
  isAvailable: true,
  tier: "namespaces",
  versions: { bubblewrap: "0.8.0" },
  protections: [{ name: "memory", isEnforced: false, how: "no cgroup \u001b[2J" }],
  problems: [],
  fixes: ["mount -t cgroup2 none /sys/fs/cgroup"],
};

function page(items: unknown[]): Json {
  return { items, nextCursor: null };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendLines(response: ServerResponse, lines: readonly (Json | string)[]): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const line of lines)
    response.write(`${typeof line === "string" ? line : JSON.stringify(line)}\n`);
  response.end();
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  const details = [{ path: "memoryMiB", expected: "at least 128", given: "1" }];
  send(response, status, { error: { code, message, requestId: "r-1", details } });
}

function refuse(response: ServerResponse, places: readonly string[]): void {
  const details = places.map((path) => ({ path, expected: "at least 128", given: "1" }));
  const message = "as the test wants it";
  send(response, 400, { error: { code: "invalid_request", message, requestId: "r-1", details } });
}
