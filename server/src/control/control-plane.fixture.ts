import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ErrorBody } from "@isola/api/errors";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import Value from "typebox/value";
import { openArtifactStore } from "../artifacts/artifact-store.ts";
import { makeApiKey } from "../auth/api-key.ts";
import { Comparisons } from "../comparisons/comparisons.ts";
import { Costs } from "../cost/costs.ts";
import { ownPriceList, readPriceList } from "../cost/price-list.ts";
import { type Clock, systemClock } from "../domain/clock.ts";
import { errorCatalogue } from "../errors.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import type { Scope, Store } from "../store/store.ts";
import { createControlApp } from "./app.ts";
import { codeStore } from "./code-store.ts";
import { DebugWork } from "./debug-work.ts";
import { EventLog } from "./event-log.ts";
import { GuestWork } from "./guest-work.ts";
import { ImageWork } from "./image-work.ts";
import { GatewayStandIn } from "./gateway-stand-in.fixture.ts";
import { LiveTails } from "./live-tails.ts";
import { MetricsExport } from "./metrics-export.ts";
import { Recorder } from "./recorder.ts";
import type { Artifacts, ControlSettings, Log } from "./ports.ts";

const root = join(import.meta.dirname, "../../..");

export const quiet: Log = { info() {}, warn() {}, error() {} };

/** Round figures: a core second and a GB second cost 1/7200 each. */
const paidMachine = {
  ...{ currency: "USD", pricePerHour: 1, cores: 4, memoryMiB: 4096, headroomPercent: 50 },
};

export interface ControlFixture {
  app: FastifyInstance;
  store: Store;
  gateway: GatewayStandIn;
  recorder: Recorder;
  dir: string;
  collectGarbage(): Promise<void>;
  artifacts: Artifacts;
  /** Calls with a key of this scope (`null`: without a key), and holds the answer against the schema the route declares for it. */
  call(method: string, url: string, options?: CallOptions): Promise<LightMyRequestResponse>;
  /** A key of the scope, for one project or for all, `Bearer ...`. */
  keyFor(scope: Scope, project?: string | null): Promise<string>;
}

export interface CallOptions {
  scope?: Scope | null;
  /** That the key is for; left out: all. */
  project?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

/** The control plane over a real store in a folder of its own, which `wrap` may make slower; ends with the test. */
export async function openControlPlane(
  t: TestContext,
  clock: Clock = systemClock,
  wrap: (store: Store) => Store = (store) => store,
  more: { dockerHost?: string; metricsFunctionsMax?: number } & Partial<ControlSettings> = {},
): Promise<ControlFixture> {
  // The newest first, also where a later part does not open.
  const closings: (() => unknown)[] = [];
  t.after(async () => {
    for (const close of closings.toReversed()) await close();
  });
  const dir = await mkdtemp(join(tmpdir(), "isola-control-"));
  closings.push(() => rm(dir, { recursive: true }));
  const opened = await openSqliteStore({ path: join(dir, "isola.db") });
  closings.push(() => opened.close());
  const store = wrap(opened);
  const gateway = new GatewayStandIn();
  const kept = await openArtifactStore(join(dir, "artifacts"));
  const artifacts = codeStore(kept, { tempDir: dir, garbageAgeMs: -1000 });
  const { dockerHost = "unix:///nonexistent/docker.sock", ...rest } = more;
  const { metricsFunctionsMax: functionsMax = 100, ...changed } = rest;
  const settings = {
    gatewayUrl: "http://localhost:8080",
    allowedHosts: [],
    version: "0.0.0",
    timeoutMsMax: 900_000,
    invocationsMax: 100,
    metricsKept: {
      ...{ minutesKeptMinutes: 2880, hoursKeptMinutes: 90_000, daysKeptMinutes: 1_000_000 },
    },
    defaultDriver: "auto" as const,
    consoleDir: null,
    allowsDebugger: true,
    acceptProjectsOnProcess: false,
    ...changed,
  };
  const imageWork = new ImageWork({ dockerHost, bases: { nodejs: null, python: null } }, quiet);
  const guests = { root, python: null, folder: join(dir, "vm"), kernel: null, kernelSource: null };
  const guestWork = new GuestWork(guests, quiet);
  const builds = { layerFor: async () => undefined };
  const { version } = settings;
  const measured = { store, gateway, artifacts, clock, log: quiet, version };
  const comparisons = await Comparisons.open(measured);
  const list = readPriceList(ownPriceList);
  const costs = new Costs({ store, list, clock, model: paidMachine, recordsKeptHours: 168 });
  const tails = new LiveTails({ store, clock });
  const metricsExport = new MetricsExport({ gateway, clock, functionsMax, version });
  const recorder = new Recorder({
    ...{ store, clock, log: quiet },
    onStored: (stored, batch) => {
      metricsExport.add(batch);
      tails.publish(stored);
    },
  });
  const events = new EventLog({ record: (batch) => recorder.record(batch), clock });
  const told = { events, tails, metricsExport, traces: null };
  const deps = {
    ...told,
    store,
    artifacts,
    builds,
    gateway,
    imageWork,
    guestWork,
    debugWork: new DebugWork(gateway),
    comparisons,
    costs,
    settings,
    clock,
    log: quiet,
  };
  const { app, collectGarbage } = await createControlApp(deps);
  const parts = [recorder, events, app, comparisons];
  closings.push(...parts.map((part) => () => part.close()));
  const keyFor = keySource(store);
  return {
    ...{ app, store, gateway, recorder, dir, collectGarbage, artifacts, keyFor },
    call: async (method, url, { scope = "admin", project = null, body, headers = {} } = {}) => {
      const authorization = scope === null ? {} : { authorization: await keyFor(scope, project) };
      const response = await app.inject({
        method: method as "GET",
        url,
        headers: { ...authorization, ...headers },
        ...(body !== undefined && { payload: body as string }),
      });
      assertDeclared(app, method, url, response);
      return response;
    },
  };
}

export interface Operation {
  method: string;
  /** `/api/v1/functions/{name}` */
  path: string;
  parameters?: { in: string; name: string }[];
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** What /openapi.json says there is. */
export function operationsOf(app: FastifyInstance): Operation[] {
  return Object.entries(app.swagger().paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Omit<Operation, "method" | "path">>).map(
      ([method, described]) => ({ method: method.toUpperCase(), path, ...described }),
    ),
  );
}

function keySource(store: Store) {
  const keys = new Map<string, Promise<string>>();
  const make = async (scope: Scope, project: string | null) => {
    const { id, text, secretHash } = makeApiKey();
    const rights = { scopes: [scope], project };
    await store.createKey({ id, name: scope, ...rights, secretHash, expiresAt: null });
    return `Bearer ${text}`;
  };
  return (scope: Scope, project: string | null = null) => {
    const name = `${scope} ${project}`;
    const key = keys.get(name) ?? make(scope, project);
    keys.set(name, key);
    return key;
  };
}

/** Whatever the API answers is what its description says. */
function assertDeclared(
  app: FastifyInstance,
  method: string,
  url: string,
  response: LightMyRequestResponse,
): void {
  assert.match(String(response.headers["isola-request-id"]), /^[0-9a-f-]{36}$/);
  assert.equal(response.headers["x-content-type-options"], "nosniff");
  const path = url.split("?")[0] as string;
  const status = String(response.statusCode);
  const operation = operationsOf(app).find(
    (one) => one.method === method && patternOf(one.path).test(path),
  );
  const declared = operation?.responses[status] ?? operation?.responses[`${status[0]}XX`];
  const schema =
    operation === undefined && response.statusCode >= 400
      ? ErrorBody
      : declared?.content?.["application/json"]?.schema;
  if (schema === undefined) return;
  const body: unknown = response.json();
  const errors = Value.Errors(schema, body);
  assert.deepEqual(errors, [], `${method} ${url} ${status}: ${response.body.slice(0, 500)}`);
  if (response.statusCode < 400) return;
  const { code, requestId } = (body as ErrorBody).error;
  assert.equal(requestId, response.headers["isola-request-id"]);
  assert.equal(errorCatalogue[code as keyof typeof errorCatalogue].status, response.statusCode);
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
