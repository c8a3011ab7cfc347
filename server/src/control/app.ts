import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import swagger from "@fastify/swagger";
import { StartComparison } from "@isola/api/comparisons";
import { definitionFileSchema } from "@isola/api/definition-file";
import { CreateFunction, PatchFunction, Code } from "@isola/api/functions";
import { Invoke } from "@isola/api/invocations";
import { requestLimits } from "@isola/api/limits";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { TSchema } from "typebox";
import { Authenticator } from "../auth/authenticator.ts";
import { Sessions } from "../auth/sessions.ts";
import type { Comparisons } from "../comparisons/comparisons.ts";
import type { Costs } from "../cost/costs.ts";
import type { Clock } from "../domain/clock.ts";
import type { EventSink } from "../domain/events.ts";
import { IsolaError } from "../errors.ts";
import { Scheduler } from "../schedules/scheduler.ts";
import type { Store } from "../store/store.ts";
import type { TraceExport } from "../traces/trace-export.ts";
import { checkCode, checkCreate, checkPatch } from "./check-function.ts";
import { registerBuilds } from "./builds.ts";
import { checkComparison } from "./comparison-params.ts";
import { registerComparisons } from "./comparisons.ts";
import { registerCode } from "./code.ts";
import { registerCost } from "./cost.ts";
import type { ControlApp, ControlContext } from "./context.ts";
import { Deployer } from "./deployer.ts";
import type { DebugWork } from "./debug-work.ts";
import { registerDebugging } from "./debugging.ts";
import { docsPolicies, registerDocs } from "./docs.ts";
import { asIsolaError, errorBody } from "./error-answer.ts";
import { registerEvents } from "./events.ts";
import { registerFunctions } from "./functions.ts";
import { GatewayFacts } from "./gateway-facts.ts";
import { hostGuard } from "./host-guard.ts";
import { keepIdempotent, noteBody } from "./idempotency.ts";
import type { GuestWork } from "./guest-work.ts";
import { registerGuests } from "./guests.ts";
import type { ImageWork } from "./image-work.ts";
import { registerImages } from "./images.ts";
import { registerInvocations } from "./invocations.ts";
import { checkInvoke } from "./invoke-params.ts";
import { registerKeys } from "./keys.ts";
import { LiveFunctions } from "./live-functions.ts";
import type { LiveTails } from "./live-tails.ts";
import { registerLogs } from "./logs.ts";
import { registerMachine } from "./machine.ts";
import { registerExposition } from "./exposition.ts";
import type { MetricsExport } from "./metrics-export.ts";
import { registerMetrics } from "./metrics.ts";
import type { Artifacts, PackageBuilds, ControlSettings, GatewayLink, Log } from "./ports.ts";
import { registerProjects } from "./projects.ts";
import { Publisher } from "./publisher.ts";
import { enforcePolicies } from "./request-policy.ts";
import { registerSchedules } from "./schedules.ts";
import { registerSessions } from "./sessions.ts";
import { consolePolicies, isPageAsked, registerConsole, sendPage } from "./console.ts";
import { registerRevisions } from "./revisions.ts";
import { routeUpgrades, wantsUpgrade } from "./upgrades.ts";
import { UploadSlots } from "./upload-slots.ts";
import { type Check, validatorCompiler } from "./validation.ts";

export interface ControlDeps {
  store: Store;
  artifacts: Artifacts;
  builds: PackageBuilds;
  gateway: GatewayLink;
  imageWork: ImageWork;
  events: EventSink;
  tails: LiveTails;
  metricsExport: MetricsExport;
  /** null: tracing is off. */
  traces: Pick<TraceExport, "counts"> | null;
  guestWork: GuestWork;
  debugWork: DebugWork;
  comparisons: Comparisons;
  costs: Costs;
  settings: ControlSettings;
  clock: Clock;
  log: Log;
}

export interface ControlPlane {
  /** `listen` and `close` it. Closing ends what the control plane does in the background; store and link stay open. */
  app: FastifyInstance;
  /** For the janitor: removes the code that no revision refers to. */
  collectGarbage(): Promise<void>;
}

/** The control plane's API, not listening yet. */
export async function createControlApp(deps: ControlDeps): Promise<ControlPlane> {
  const { store, gateway, clock, log } = deps;
  const facts = new GatewayFacts(gateway, clock);
  const publisher = new Publisher({ store, gateway, clock, log });
  const { artifacts, builds, settings, events, metricsExport } = deps;
  const live = await LiveFunctions.open(store, settings.acceptProjectsOnProcess, (fn) =>
    metricsExport.onLive(fn),
  );
  const runsMax = Math.min(Math.ceil(settings.invocationsMax / 2), SCHEDULED_AT_ONCE_MAX);
  const schedules = await Scheduler.open({ store, gateway, events, clock, log, runsMax });
  const deployer = new Deployer({
    ...{ store, artifacts, builds, facts, publisher, live, schedules, events, clock },
    ...settings,
  });
  const onProblem = (message: string) => log.warn({}, message);
  const authenticator = new Authenticator({ store, clock, onProblem });
  const sessions = new Sessions({ store, authenticator, clock });
  const app = makeServer(log);
  routeUpgrades(app);
  app.setValidatorCompiler(validatorCompiler(checks));
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  setParsers(app);
  answerErrors(app, log);
  guardRequests(app, settings);
  enforcePolicies(app, { authenticator, sessions, store, foreignPolicies });
  keepIdempotent(app, store);
  await registerOpenApi(app, settings.version);
  registerResources(app, { ...deps, facts, deployer, schedules });
  registerSessions(app as unknown as ControlApp, sessions);
  await registerConsole(app, settings.consoleDir);
  // Before connections are waited for: a build is told as given up, and live tails end.
  app.addHook("preClose", () => {
    deps.tails.close();
    deps.guestWork.close();
    deps.debugWork.closeAll();
    return deps.imageWork.close();
  });
  app.addHook("onClose", async () => {
    publisher.close();
    await schedules.close();
    await authenticator.close();
  });
  await app.ready();
  return { app, collectGarbage: () => deployer.collectGarbage() };
}

/** More that are due at once wait for others to end, which they may for longer than for a sandbox. Half of the server's calls are left to callers. */
const SCHEDULED_AT_ONCE_MAX = 200;

const foreignPolicies = new Map([...docsPolicies, ...consolePolicies]);

/** What schemas cannot say, by the schema of the body. */
const checks: ReadonlyMap<TSchema, Check> = new Map<TSchema, Check>([
  [CreateFunction, checkCreate],
  [PatchFunction, checkPatch],
  [Code, (body) => checkCode(body, "")],
  [Invoke, checkInvoke],
  [StartComparison, checkComparison],
]);

function makeServer(log: Log): FastifyInstance {
  return fastify({
    bodyLimit: requestLimits.bodyBytesMax,
    requestTimeout: 300_000,
    http: { shouldUpgradeCallback: wantsUpgrade },
    keepAliveTimeout: 60_000,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, typedReply) => {
      const { code } = error;
      const reply = typedReply as unknown as FastifyReply;
      const given = new IsolaError("invalid_request", `the path is malformed (${code})`);
      setCommonHeaders(request, reply);
      void reply.code(given.status).send(errorBody(given, request.id));
    },
    clientErrorHandler: (error, socket) => {
      log.info({ reason: error.message }, "a connection sent no HTTP");
      if (!socket.writable || socket.bytesWritten > 0) return void socket.destroy();
      const given = new IsolaError(
        "bad_http",
        "the request is not HTTP/1.1, or its head is too large",
      );
      const requestId = randomUUID();
      const body = JSON.stringify(errorBody(given, requestId));
      const head = `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\nisola-request-id: ${requestId}`;
      socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    },
  });
}

/** JSON alone; archives are taken where code is uploaded. An empty body is none. */
function setParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser("error", "error");
  const parseData = app.getDefaultJsonParser("ignore", "ignore");
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    (request, body: Buffer, done) => {
      noteBody(request, body);
      if (body.length === 0) return done(null, undefined);
      // What is not UTF-8 would be taken with other characters than were sent.
      if (!isUtf8(body)) return done(new IsolaError("invalid_request", "the body is not UTF-8"));
      // An event is data of the function, which may have members of any name.
      const isData = [Invoke, StartComparison].includes(request.routeOptions.schema?.body as never);
      void (isData ? parseData : parse)(request, body.toString("utf8"), done);
    },
  );
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler(async (request, reply) => {
    if (app.hasReplyDecorator("sendFile") && isPageAsked(request)) return sendPage(reply);
    throw new IsolaError("not_found", `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });
  app.setErrorHandler(async (error, request, reply) => {
    const failure = asIsolaError(error);
    if (failure.code === "internal_error")
      log.error({ requestId: request.id, err: error }, "a call failed by a defect");
    if (failure.status === 503) reply.header("retry-after", "1");
    if (failure.status === 401) reply.header("www-authenticate", "Bearer");
    reply.code(failure.status);
    return errorBody(failure, request.id);
  });
}

function guardRequests(app: FastifyInstance, settings: ControlSettings): void {
  const guard = hostGuard(settings.allowedHosts);
  app.addHook("onRequest", async (request, reply) => {
    setCommonHeaders(request, reply);
    reply.header("isola-version", settings.version);
    guard(request.method, request.headers);
  });
}

function setCommonHeaders(
  request: FastifyRequest,
  reply: { header(name: string, value: string): unknown },
): void {
  reply.header("isola-request-id", request.id);
  reply.header("x-content-type-options", "nosniff");
  reply.header("cache-control", "no-store");
  reply.header("referrer-policy", "no-referrer");
  reply.header("x-frame-options", "DENY");
}

async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Isola API",
        version,
        description:
          "Self-hosted functions with the isolation technology chosen per function. Calls carry an API key, `authorization: Bearer <key>`: the first one is in the file `admin-key` of the server's data folder, further ones come from `POST /api/v1/keys`.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/", description: "This server" }],
      components: {
        securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key" } },
      },
      security: [{ key: [] }],
    },
  });
}

function registerResources(server: FastifyInstance, context: ControlContext): void {
  const app = server as unknown as ControlApp;
  const uploads = new UploadSlots();
  app.get("/openapi.json", { config: { policy: "open" }, schema: { hide: true } }, async () =>
    server.swagger(),
  );
  const definition = definitionFileSchema();
  app.get(
    "/isola.schema.json",
    { config: { policy: "open" }, schema: { hide: true } },
    async () => definition,
  );
  registerDocs(server);
  registerFunctions(app, context, uploads);
  void app.register(async (scope) => registerCode(scope as ControlApp, context, uploads));
  registerRevisions(app, context);
  registerBuilds(app, context);
  registerInvocations(app, context);
  registerSchedules(app, context);
  registerProjects(app, context);
  registerLogs(app, context);
  registerEvents(app, context);
  registerKeys(app, context);
  registerMachine(app, context);
  registerMetrics(app, context);
  registerExposition(app, context);
  registerImages(app, context);
  registerGuests(app, context);
  registerComparisons(app, context);
  registerCost(app, context);
  registerDebugging(app, context);
}
