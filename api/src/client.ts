import { ApiError } from "./api-error.ts";
import type {
  ComparisonListQuery,
  ComparisonSummary,
  ComparisonView,
  EndedComparison,
  ExportQuery,
  StartComparison,
} from "./comparisons.ts";
import type { CostQuery, CostView } from "./cost.ts";
import { DEBUGGER_UPGRADE } from "./debugger-upgrade.ts";
import type { DebugEvent, OpenDebugSession } from "./debugging.ts";
import { BUILD_STREAM_TYPE, readBuildStream } from "./build-output.ts";
import type { BuildView } from "./builds.ts";
import type {
  ChangedFunction,
  CreateFunction,
  DeletedFunction,
  FunctionListQuery,
  FunctionView,
  PatchFunction,
  RevisionView,
  Rollback,
} from "./functions.ts";
import type {
  AllInvocationsQuery,
  InvocationListQuery,
  InvocationView,
  InvocationWithLogs,
  Invoke,
  Invoked,
  Warmed,
} from "./invocations.ts";
import type { EventListQuery, EventView } from "./events.ts";
import type { AllLogsQuery, LogLineView, LogListQuery } from "./logs.ts";
import type { BuildGuests, GuestPart, PrunedGuests } from "./guests.ts";
import type { BuildImages, ImageEvent, ImageView, PrunedImages } from "./images.ts";
import type { CreateKey, CreatedKey, KeyListQuery, KeyView } from "./keys.ts";
import type { DriverView, Health, Readiness, RuntimeView, SystemView } from "./machine.ts";
import type { OpenSession, SessionView, SignInLink } from "./sessions.ts";
import { scheduleCalls } from "./schedule-calls.ts";
import { caller, functionsPath, pathOf } from "./function-paths.ts";
import type { CreateProject, DeletedProject, PatchProject, ProjectView } from "./projects.ts";
import { EVENT_STREAM_TYPE, type TailEvent, tailOf } from "./event-stream.ts";
import type { Page, PageQuery, PlacedPage } from "./shapes.ts";
import type { MetricsQueryString, MetricsView } from "./metrics.ts";
import {
  type Call,
  type CallOptions,
  type ClientOptions,
  type Transport,
  createTransport,
  cutOff,
  eventsOf,
  jsonOf,
} from "./transport.ts";

export { ApiError };
export type { CallOptions, ClientOptions } from "./transport.ts";

/** New code: the text of files, or an archive. */
export type CodeUpload =
  | { files: Record<string, string> }
  | { zip: Uint8Array<ArrayBuffer> }
  | { tar: Uint8Array<ArrayBuffer> }
  | { tarGzip: Uint8Array<ArrayBuffer> };

export interface ChangeOptions extends CallOptions {
  /** Hears the output of a build line by line. */
  onOutput?(text: string): void;
}

export type Client = ReturnType<typeof createClient>;

/** One method for each call of the API. All reject with `ApiError`. */
export function createClient(options: ClientOptions) {
  const transport = createTransport(options);
  const ofProject = inProject(transport, options.project);
  return {
    ...functionCalls(ofProject),
    ...invocationCalls(ofProject),
    ...scheduleCalls(ofProject),
    ...logCalls(ofProject),
    ...eventCalls(ofProject),
    ...metricCalls(ofProject),
    ...projectCalls(transport),
    ...keyCalls(transport),
    ...machineCalls(transport),
    ...imageCalls(transport),
    ...sessionCalls(transport),
    ...guestCalls(transport),
    ...comparisonCalls(ofProject),
    ...debugCalls(ofProject, options),
  };
}

function functionCalls(transport: Transport) {
  const call = caller(transport);
  const change = changer(transport);
  return {
    createFunction: (body: CreateFunction, options?: ChangeOptions) =>
      change("POST", functionsPath, { json: body }, options),
    listFunctions: (query: FunctionListQuery = {}, options?: CallOptions) =>
      call<Page<FunctionView>>("GET", functionsPath, { query, ...options }),
    getFunction: (name: string, options?: CallOptions) =>
      call<FunctionView>("GET", pathOf(name), { ...options }),
    patchFunction: (name: string, body: PatchFunction, options?: ChangeOptions) =>
      change("PATCH", pathOf(name), { json: body }, options),
    deleteFunction: (name: string, options?: CallOptions) =>
      call<DeletedFunction>("DELETE", pathOf(name), { ...options }),
    putCode: (name: string, code: CodeUpload, options?: ChangeOptions) =>
      change("PUT", `${pathOf(name)}/code`, bodyOf(code), options),
    listBuilds: (name: string, query: PageQuery = {}, options?: CallOptions) =>
      call<Page<BuildView>>("GET", `${pathOf(name)}/builds`, { query, ...options }),
    /** A tar of the code, of the live revision or the one named. */
    getCode: async (name: string, query: { revision?: number } = {}, options?: CallOptions) => {
      const path = `${pathOf(name)}/code`;
      return new Uint8Array(
        await (await transport({ method: "GET", path, query, ...options })).arrayBuffer(),
      );
    },
    listRevisions: (name: string, query: PageQuery = {}, options?: CallOptions) =>
      call<Page<RevisionView>>("GET", `${pathOf(name)}/revisions`, { query, ...options }),
    rollback: (name: string, body: Rollback, options?: CallOptions) =>
      call<ChangedFunction>("POST", `${pathOf(name)}/rollback`, { json: body, ...options }),
  };
}

function invocationCalls(transport: Transport) {
  const call = caller(transport);
  return {
    /** Lasts as long as the function does; bound it with `signal`. */
    invoke: (name: string, body: Invoke, options?: CallOptions) =>
      call<Invoked>("POST", `${pathOf(name)}/invocations`, {
        json: body,
        isUnbounded: true,
        ...options,
      }),
    /** Resolves once a sandbox has loaded the live revision's code, or with why none could. */
    warm: (name: string, options?: CallOptions) =>
      call<Warmed>("POST", `${pathOf(name)}/warm`, { isUnbounded: true, ...options }),
    listInvocations: (name: string, query: InvocationListQuery = {}, options?: CallOptions) =>
      call<Page<InvocationView>>("GET", `${pathOf(name)}/invocations`, { query, ...options }),
    listAllInvocations: (query: AllInvocationsQuery = {}, options?: CallOptions) =>
      call<Page<InvocationView>>("GET", "/api/v1/invocations", { query, ...options }),
    getInvocation: (id: string, options?: CallOptions) =>
      call<InvocationWithLogs>("GET", `/api/v1/invocations/${encodeURIComponent(id)}`, {
        ...options,
      }),
  };
}

function projectCalls(transport: Transport) {
  const call = caller(transport);
  const path = "/api/v1/projects";
  const pathOfProject = (name: string) => `${path}/${encodeURIComponent(name)}`;
  return {
    createProject: (body: CreateProject, options?: CallOptions) =>
      call<ProjectView>("POST", path, { json: body, ...options }),
    listProjects: (query: PageQuery = {}, options?: CallOptions) =>
      call<Page<ProjectView>>("GET", path, { query, ...options }),
    getProject: (name: string, options?: CallOptions) =>
      call<ProjectView>("GET", pathOfProject(name), { ...options }),
    patchProject: (name: string, body: PatchProject, options?: CallOptions) =>
      call<ProjectView>("PATCH", pathOfProject(name), { json: body, ...options }),
    /** Rejects with `conflict` while it has functions or keys. */
    deleteProject: (name: string, options?: CallOptions) =>
      call<DeletedProject>("DELETE", pathOfProject(name), { ...options }),
  };
}

/** What a live tail filters by. */
export type LogTailQuery = Omit<AllLogsQuery, "cursor" | "limit" | "order" | "since" | "until">;
export type EventTailQuery = Omit<EventListQuery, "cursor" | "limit" | "order" | "since" | "until">;

export interface TailOptions extends CallOptions {
  /** Begins behind the item with this id instead of now. */
  lastEventId?: string;
}

function logCalls(transport: Transport) {
  const call = caller(transport);
  return {
    listLogs: (name: string, query: LogListQuery = {}, options?: CallOptions) =>
      call<PlacedPage<LogLineView>>("GET", `${pathOf(name)}/logs`, { query, ...options }),
    listAllLogs: (query: AllLogsQuery = {}, options?: CallOptions) =>
      call<PlacedPage<LogLineView>>("GET", "/api/v1/logs", { query, ...options }),
    /** Resolves once the tail is open: what is stored from then on comes. */
    tailLogs: (query: LogTailQuery = {}, options?: TailOptions) =>
      tail<LogLineView>(transport, "/api/v1/logs", query, options),
  };
}

function eventCalls(transport: Transport) {
  const call = caller(transport);
  return {
    listEvents: (query: EventListQuery = {}, options?: CallOptions) =>
      call<PlacedPage<EventView>>("GET", "/api/v1/events", { query, ...options }),
    /** Resolves once the tail is open: what happens from then on comes. */
    tailEvents: (query: EventTailQuery = {}, options?: TailOptions) =>
      tail<EventView>(transport, "/api/v1/events", query, options),
  };
}

function debugCalls(transport: Transport, { url, apiKey, project }: ClientOptions) {
  const pathOfSessions = (name: string) => `${pathOf(name)}/debug-sessions`;
  return {
    /** Resolves once a debugger can be attached. The session is as long as the events are read; `signal` ends it. */
    openDebugSession: async (
      name: string,
      body: OpenDebugSession,
      options?: CallOptions,
    ): Promise<AsyncGenerator<TailEvent<DebugEvent>>> => {
      const call = { method: "POST", path: pathOfSessions(name), json: body, isUnbounded: true };
      return tailOf<DebugEvent>(
        await transport({ ...call, accept: EVENT_STREAM_TYPE, ...options }),
      );
    },
    /** What to ask for with `GET` for a connection of a debugger, which `fetch` cannot have. */
    debugConnection: (name: string, id: string) => ({
      url: `${url.replace(/\/+$/, "")}${pathOfSessions(name)}/${encodeURIComponent(id)}/connections${
        project === undefined ? "" : `?project=${encodeURIComponent(project)}`
      }`,
      headers: {
        connection: "Upgrade",
        upgrade: DEBUGGER_UPGRADE,
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
    }),
  };
}

function metricCalls(transport: Transport) {
  const call = caller(transport);
  return {
    getMetrics: (query: MetricsQueryString = {}, options?: CallOptions) =>
      call<MetricsView>("GET", "/api/v1/metrics", { query, ...options }),
  };
}

async function tail<T>(
  transport: Transport,
  path: string,
  query: NonNullable<Call["query"]>,
  options: TailOptions = {},
): Promise<AsyncGenerator<TailEvent<T>>> {
  const call = { method: "GET", path, query, accept: EVENT_STREAM_TYPE, isUnbounded: true };
  return tailOf<T>(await transport({ ...call, ...options }));
}

function keyCalls(transport: Transport) {
  const call = caller(transport);
  return {
    createKey: (body: CreateKey, options?: CallOptions) =>
      call<CreatedKey>("POST", "/api/v1/keys", { json: body, ...options }),
    listKeys: (query: KeyListQuery = {}, options?: CallOptions) =>
      call<Page<KeyView>>("GET", "/api/v1/keys", { query, ...options }),
    revokeKey: (id: string, options?: CallOptions) =>
      call<KeyView>("DELETE", `/api/v1/keys/${encodeURIComponent(id)}`, { ...options }),
  };
}

function machineCalls(transport: Transport) {
  const call = caller(transport);
  return {
    listDrivers: (options?: CallOptions) =>
      call<Page<DriverView>>("GET", "/api/v1/drivers", { ...options }),
    listRuntimes: (options?: CallOptions) =>
      call<Page<RuntimeView>>("GET", "/api/v1/runtimes", { ...options }),
    getSystem: (options?: CallOptions) => call<SystemView>("GET", "/api/v1/system", { ...options }),
    /** What Prometheus is told, as text. */
    exportMetrics: async (options?: CallOptions) =>
      (
        await transport({ method: "GET", path: "/metrics", accept: "text/plain", ...options })
      ).text(),
    getHealth: (options?: CallOptions) => call<Health>("GET", "/healthz", { ...options }),
    /** Rejects with status 503 while the server is not ready. */
    getReadiness: (options?: CallOptions) => call<Readiness>("GET", "/readyz", { ...options }),
  };
}

function sessionCalls(transport: Transport) {
  const call = caller(transport);
  const path = "/api/v1/session";
  return {
    /** In a browser: the answer's cookie is the session from then on. */
    openSession: (body: OpenSession, options?: CallOptions) =>
      call<SessionView>("POST", path, { json: body, ...options }),
    getSession: (options?: CallOptions) => call<SessionView>("GET", path, { ...options }),
    closeSession: async (options?: CallOptions): Promise<void> => {
      await transport({ method: "DELETE", path, ...options });
    },
    makeSignInLink: (options?: CallOptions) =>
      call<SignInLink>("POST", `${path}/links`, { ...options }),
  };
}

function imageCalls(transport: Transport) {
  const call = caller(transport);
  const path = "/api/v1/images";
  return {
    listImages: (options?: CallOptions) => call<Page<ImageView>>("GET", path, { ...options }),
    /** Events as they happen; rejects where the build does not begin, and with the error that it ends with. */
    buildImages: (body: BuildImages, options?: CallOptions) =>
      builtThings(transport, { path, json: body, ...options }),
    /** Removes outdated ones. */
    pruneImages: (options?: CallOptions) => call<PrunedImages>("DELETE", path, { ...options }),
  };
}

function guestCalls(transport: Transport) {
  const call = caller(transport);
  const path = "/api/v1/vm";
  return {
    listGuestParts: (options?: CallOptions) => call<Page<GuestPart>>("GET", path, { ...options }),
    /** As `buildImages`. */
    buildGuests: (body: BuildGuests, options?: CallOptions) =>
      builtThings(transport, { path, json: body, ...options }),
    /** Removes outdated ones. */
    pruneGuestParts: (options?: CallOptions) => call<PrunedGuests>("DELETE", path, { ...options }),
    /** Removes kernels that were built on the server, and ends a build of one. */
    removeGuestKernels: (options?: CallOptions) =>
      call<PrunedGuests>("DELETE", `${path}/kernel`, { ...options }),
  };
}

async function* builtThings(
  transport: Transport,
  call: Omit<Call, "method">,
): AsyncGenerator<ImageEvent> {
  const response = await transport({ method: "POST", isUnbounded: true, ...call });
  let isDone = false;
  for await (const event of eventsOf<ImageEvent>(response)) {
    if (event.type === "error")
      throw new ApiError(event.error.message, { status: 200, ...event.error });
    isDone ||= event.type === "done";
    yield event;
  }
  if (!isDone) throw cutOff(response);
}

function comparisonCalls(transport: Transport) {
  const call = caller(transport);
  const path = "/api/v1/comparisons";
  const of = (id: string) => `${path}/${encodeURIComponent(id)}`;
  return {
    startComparison: (body: StartComparison, options?: CallOptions) =>
      call<ComparisonView>("POST", path, { json: body, ...options }),
    listComparisons: (query: ComparisonListQuery = {}, options?: CallOptions) =>
      call<Page<ComparisonSummary>>("GET", path, { query, ...options }),
    getComparison: (id: string, options?: CallOptions) =>
      call<ComparisonView>("GET", of(id), { ...options }),
    /** The table as text. */
    exportComparison: async (id: string, query: ExportQuery = {}, options?: CallOptions) => {
      const asked = { method: "GET", path: `${of(id)}/export`, query, ...options };
      return (await transport(asked)).text();
    },
    /** Cancels one that runs, and removes any other. */
    endComparison: (id: string, options?: CallOptions) =>
      call<EndedComparison>("DELETE", of(id), { ...options }),
    getCost: (query: CostQuery = {}, options?: CallOptions) =>
      call<CostView>("GET", "/api/v1/cost", { query, ...options }),
  };
}

/** Calls about what a project owns name it where one was named. */
function inProject(transport: Transport, project: string | undefined): Transport {
  if (project === undefined) return transport;
  return (call) => transport({ ...call, query: { project, ...call.query } });
}

/** Changes that may build last as long as that takes; bound them with `signal`. */
function changer(transport: Transport) {
  return async (
    method: string,
    path: string,
    body: Pick<Call, "json" | "bytes" | "contentType">,
    { onOutput, ...options }: ChangeOptions = {},
  ) => {
    const call = { method, path, ...body, isUnbounded: true, ...options };
    if (onOutput === undefined) return jsonOf<ChangedFunction>(await transport(call));
    const accept = `${BUILD_STREAM_TYPE}, application/json`;
    return readBuildStream<ChangedFunction>(await transport({ ...call, accept }), onOutput);
  };
}

function bodyOf(code: CodeUpload): Pick<Call, "json" | "bytes" | "contentType"> {
  if ("files" in code) return { json: { files: code.files } };
  if ("zip" in code) return { bytes: code.zip, contentType: "application/zip" };
  if ("tar" in code) return { bytes: code.tar, contentType: "application/x-tar" };
  return { bytes: code.tarGzip, contentType: "application/gzip" };
}
