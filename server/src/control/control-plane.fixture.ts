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
import { type Clock, systemClock } from "../domain/clock.ts";
import { errorCatalogue } from "../errors.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import type { Scope, Store } from "../store/store.ts";
import { createControlApp } from "./app.ts";
import { codeStore } from "./code-store.ts";
import { GuestWork } from "./guest-work.ts";
import { ImageWork } from "./image-work.ts";
import { GatewayStandIn } from "./gateway-stand-in.fixture.ts";
import type { Artifacts, Log } from "./ports.ts";

const root = join(import.meta.dirname, "../../..");

export const quiet: Log = { info() {}, warn() {}, error() {} };

export interface ControlFixture {
  app: FastifyInstance;
  store: Store;
  gateway: GatewayStandIn;
  dir: string;
  collectGarbage(): Promise<void>;
  artifacts: Artifacts;
  /** Calls with a key of this scope (`null`: without a key), and holds the answer against the schema the route declares for it. */
  call(method: string, url: string, options?: CallOptions): Promise<LightMyRequestResponse>;
  /** A key of the scope, `Bearer ...`. */
  keyFor(scope: Scope): Promise<string>;
}

export interface CallOptions {
  scope?: Scope | null;
  body?: unknown;
  headers?: Record<string, string>;
}

/** The control plane over a real store in a folder of its own, which `wrap` may make slower; ends with the test. */
export async function openControlPlane(
  t: TestContext,
  clock: Clock = systemClock,
  wrap: (store: Store) => Store = (store) => store,
  dockerHost = "unix:///nonexistent/docker.sock",
): Promise<ControlFixture> {
  const dir = await mkdtemp(join(tmpdir(), "isola-control-"));
  const store = wrap(await openSqliteStore({ path: join(dir, "isola.db") }));
  const gateway = new GatewayStandIn();
  const kept = await openArtifactStore(join(dir, "artifacts"));
  const artifacts = codeStore(kept, { tempDir: dir, garbageAgeMs: -1000 });
  const settings = {
    gatewayUrl: "http://localhost:8080",
    allowedHosts: [],
    version: "0.0.0",
    timeoutMsMax: 900_000,
    invocationsMax: 100,
    defaultDriver: "auto" as const,
  };
  const imageWork = new ImageWork({ dockerHost, bases: { nodejs: null, python: null } }, quiet);
  const guests = { root, python: null, folder: join(dir, "vm"), kernel: null };
  const guestWork = new GuestWork(guests, quiet);
  const builds = { layerFor: async () => undefined };
  const deps = {
    ...{ store, artifacts, builds, gateway, imageWork, guestWork, settings, clock },
    log: quiet,
  };
  const { app, collectGarbage } = await createControlApp(deps);
  t.after(async () => {
    await app.close();
    await store.close();
    await rm(dir, { recursive: true });
  });
  const keyFor = keySource(store);
  return {
    ...{ app, store, gateway, dir, collectGarbage, artifacts, keyFor },
    call: async (method, url, { scope = "admin", body, headers = {} } = {}) => {
      const authorization = scope === null ? {} : { authorization: await keyFor(scope) };
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
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** What /openapi.json says there is. */
export function operationsOf(app: FastifyInstance): Operation[] {
  return Object.entries(app.swagger().paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Pick<Operation, "responses">>).map(
      ([method, { responses }]) => ({ method: method.toUpperCase(), path, responses }),
    ),
  );
}

function keySource(store: Store) {
  const keys = new Map<Scope, Promise<string>>();
  const make = async (scope: Scope) => {
    const { id, text, secretHash } = makeApiKey();
    await store.createKey({ id, name: scope, scopes: [scope], secretHash, expiresAt: null });
    return `Bearer ${text}`;
  };
  return (scope: Scope) => {
    const key = keys.get(scope) ?? make(scope);
    keys.set(scope, key);
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
