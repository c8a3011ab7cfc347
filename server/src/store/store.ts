import type {
  Artifact,
  DeployedFunction,
  DriverName,
  FunctionName,
  Layer,
  RevisionSettings,
  Route,
} from "../domain/function.ts";
import type { EventKind, PlatformEvent } from "../domain/events.ts";
import type { InvocationRecord, LogRecord, Outcome, StartKind } from "../domain/invocation.ts";
import type { LogLevel } from "../domain/log-level.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import type { ComparisonStore } from "./comparison-store.ts";
import type { MetricsStore } from "./metrics-store.ts";
import type { Page } from "./page.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { PlacedPage, PlacedQuery } from "./queries/placed-pages.ts";

/** A tenant as kept. */
export interface ProjectRow {
  name: string;
  description: string;
  /** Of functions that are created without one; null: the server's. */
  driver: DriverName | null;
  /** Counts every change; the ETag. */
  version: number;
  createdAt: number;
  updatedAt: number;
}

export type ProjectChange = Partial<Pick<ProjectRow, "description" | "driver">>;

/** A function as kept: metadata that does not make a revision, and where `live` points. */
export interface FunctionRow {
  id: string;
  project: string;
  name: FunctionName;
  description: string;
  labels: Record<string, string>;
  /** Counts every change of this row or of its aliases; the ETag. */
  version: number;
  liveRevision: number;
  latestRevision: number;
  createdAt: number;
  updatedAt: number;
}

export interface RevisionRow {
  functionId: string;
  revision: number;
  artifact: Artifact;
  layer?: Layer;
  settings: RevisionSettings;
  createdAt: number;
  /** Id of the key that made it. */
  createdBy: string;
  /** What made it: `create`, `code`, `settings`. */
  reason: "create" | "code" | "settings";
}

/** One build for a deploy of a function, whatever became of it. */
export interface BuildRow {
  id: string;
  project: string;
  functionName: string;
  runtime: string;
  driver: string;
  state: "running" | "ok" | "failed" | "cancelled";
  /** Nothing ran: what it would have made was there. */
  isCached: boolean;
  /** Why it failed; empty otherwise. */
  message: string;
  /** Its last lines. */
  output: string[];
  startedAt: number;
  endedAt: number | null;
}

export interface BuildQuery {
  project: string;
  functionName: string;
  cursor?: string;
  limit: number;
}

export type Scope = "admin" | "deploy" | "invoke" | "read";

/** What a browser has instead of a key. */
export interface SessionRow {
  /** SHA-256 of the cookie's token, hex. */
  tokenHash: string;
  keyId: string;
  createdAt: number;
  expiresAt: number;
}

export interface KeyRow {
  id: string;
  name: string;
  scopes: Scope[];
  /** The one that it is for; null: every project. */
  project: string | null;
  /** SHA-256 of the secret, lower-case hex. */
  secretHash: string;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
  revokedAt: number | null;
}

export interface FunctionQuery {
  /** Null: all. */
  project: string | null;
  /** Part of the name or the description. */
  query?: string;
  /** `key` or `key=value`, all must hold. */
  labels?: string[];
  sort: "name" | "-name" | "updatedAt" | "-updatedAt" | "createdAt" | "-createdAt";
  cursor?: string;
  limit: number;
}

export interface InvocationQuery {
  /** Null: all. */
  project: string | null;
  functionName?: string;
  /** Any of them. */
  outcomes?: readonly Outcome[];
  /** `none`: it never reached a sandbox. */
  startKind?: StartKind | "none";
  driver?: string;
  minDurationMs?: number;
  /** 32 hex digits. */
  traceId?: string;
  /** Unix ms, inclusive. */
  since?: number;
  until?: number;
  cursor?: string;
  limit: number;
}

export interface LogFilter {
  project: string;
  functionName?: string;
  invocationId?: string;
  sandboxId?: string;
  levels?: readonly LogLevel[];
  stream?: LogRecord["stream"];
  /** Unix ms, inclusive. */
  since?: number;
  until?: number;
  /** Part of the text, in upper or lower case. */
  text?: string;
}

export type LogQuery = LogFilter & PlacedQuery;

/** A line with its place in the order of arrival. */
export type StoredLog = LogRecord & { seq: number };

export interface EventFilter {
  /** Its events, and those of no project unless `isItsOwn`; null: all. */
  project: string | null;
  isItsOwn?: boolean;
  functionName?: string;
  kinds?: readonly EventKind[];
  /** Unix ms, inclusive. */
  since?: number;
  until?: number;
}

export type EventQuery = EventFilter & PlacedQuery;

export type StoredEvent = PlatformEvent & { seq: number };

/** What a batch has added; nothing where it was stored before. */
export interface StoredRecords {
  /** It was not stored before. */
  isNew: boolean;
  logs: StoredLog[];
  events: StoredEvent[];
}

/** What arrived behind a number: up to `last`, without the `passedOver` rows that were too many to look at. */
export interface Arrived<T> {
  items: T[];
  last: number;
  passedOver: number;
}

/** What a live revision takes beside memory: its route (null: only the default one), and a driver. */
export interface LiveFunction {
  project: string;
  name: string;
  route: Route | null;
  driver: DriverName;
}

/** What a function says of itself beside its revisions. */
export interface Metadata {
  description?: string;
  labels?: Record<string, string>;
}

export interface NewRevision {
  /** Changes with the revision, in the same transaction. */
  metadata?: Metadata;
  artifact: Artifact;
  layer?: Layer;
  settings: RevisionSettings;
  createdBy: string;
  reason: RevisionRow["reason"];
}

/**
 * The durable side of Isola. Every method that changes a deployment has committed (and synced) when it resolves; records are batched and may lose the last second
 * on a power cut. Failures that a caller can cause are `IsolaError`s; all methods are safe to call concurrently.
 */
export interface Store extends MetricsStore, ComparisonStore, ScheduleStore {
  /** Projects. */
  /** Rejects with `conflict` for a name that is taken, or was. */
  createProject(project: Pick<ProjectRow, "name" | "description" | "driver">): Promise<ProjectRow>;
  /** Rejects with `not_found`. */
  getProject(name: string): Promise<ProjectRow>;
  /** By name. */
  listProjects(page: { cursor?: string; limit: number }): Promise<Page<ProjectRow>>;
  updateProject(name: string, change: ProjectChange, ifVersion?: number): Promise<ProjectRow>;
  /** Rejects with `conflict`, naming what is left, while it has functions or keys that are not revoked; `default` exists always. */
  deleteProject(name: string, ifVersion?: number): Promise<void>;

  /** Functions, revisions, aliases. */
  createFunction(input: {
    project: string;
    name: string;
    description: string;
    labels: Record<string, string>;
    first: NewRevision;
  }): Promise<{ fn: FunctionRow; revision: RevisionRow }>;
  /** Rejects with `not_found`. */
  getFunction(project: string, name: string): Promise<FunctionRow>;
  listFunctions(query: FunctionQuery): Promise<Page<FunctionRow & { live: RevisionRow }>>;
  /** A new revision, made live in the same transaction. `ifVersion` guards against lost updates (`precondition_failed`). `settings` may be a function of the current live revision. */
  addRevision(
    project: string,
    name: string,
    change: (live: RevisionRow) => NewRevision,
    ifVersion?: number,
  ): Promise<{ fn: FunctionRow; revision: RevisionRow }>;
  updateMetadata(
    project: string,
    name: string,
    change: Metadata,
    ifVersion?: number,
  ): Promise<FunctionRow>;
  /** Points `live` at an existing revision. `not_found` names the revisions that exist. */
  setLive(
    project: string,
    name: string,
    revision: number,
    ifVersion?: number,
  ): Promise<FunctionRow>;
  deleteFunction(project: string, name: string, ifVersion?: number): Promise<void>;
  getRevision(functionId: string, revision: number): Promise<RevisionRow>;
  listRevisions(
    functionId: string,
    page: { cursor?: string; limit: number },
  ): Promise<Page<RevisionRow>>;
  /** What the gateway runs: the live revision of every function. */
  deployedFunctions(): Promise<DeployedFunction[]>;
  /** Of every live revision, to refuse conflicts, in the order in which the functions were created; to be asked while nothing changes. */
  liveFunctions(): Promise<LiveFunction[]>;
  /** Digests that some revision or kept layer refers to; every other artifact is garbage. */
  artifactDigests(): Promise<Set<string>>;

  /** Builds. */
  /** Counts as a use of the layer; null where none was made of that yet. */
  getLayer(key: string): Promise<Layer | null>;
  putLayer(key: string, layer: Layer): Promise<void>;
  /** Forgets layers that were not used since `before`, and the longest unused above `bytesMax`; says how many. */
  trimLayers(bounds: { before: number; bytesMax: number }): Promise<number>;
  /** Of each function the last 50 are kept. */
  addBuild(build: BuildRow): Promise<void>;
  endBuild(
    id: string,
    end: Pick<BuildRow, "state" | "isCached" | "message" | "output" | "endedAt">,
  ): Promise<void>;
  /** Newest first. */
  listBuilds(query: BuildQuery): Promise<Page<BuildRow>>;
  /** What an earlier life left running has failed, with this message. */
  closeBuilds(message: string): Promise<void>;
  trimBuilds(before: number): Promise<number>;

  /** Keys. */
  /** Rejects with `not_found` where its project does not exist. */
  createKey(key: Omit<KeyRow, "createdAt" | "lastUsedAt" | "revokedAt">): Promise<KeyRow>;
  getKey(id: string): Promise<KeyRow | null>;
  listKeys(): Promise<KeyRow[]>;
  revokeKey(id: string): Promise<KeyRow>;
  touchKeys(used: Map<string, number>): Promise<void>;

  /** Sessions of browsers. One that has ended is as good as none, and is removed in time. */
  createSession(session: SessionRow): Promise<void>;
  getSession(tokenHash: string): Promise<SessionRow | null>;
  /** Never to an earlier end. */
  extendSession(tokenHash: string, expiresAt: number): Promise<void>;
  deleteSession(tokenHash: string): Promise<void>;

  /** Idempotency: the stored answer of an unsafe call, kept for a day. */
  getIdempotent(
    keyId: string,
    key: string,
  ): Promise<{ requestHash: string; status: number; body: string } | null>;
  putIdempotent(
    keyId: string,
    key: string,
    answer: { requestHash: string; status: number; body: string },
  ): Promise<void>;

  /** Records. */
  /** All of it or nothing, with what it measured; a batch that is stored already is left as it is. */
  recordBatch(batch: RecordBatch): Promise<StoredRecords>;
  getInvocation(project: string, id: string): Promise<InvocationRecord & { logs: LogRecord[] }>;
  listInvocations(query: InvocationQuery): Promise<Page<InvocationRecord>>;
  /** A page looks at so many lines at most; what it looks for may be rare, and then it is short and has a cursor. */
  listLogs(query: LogQuery): Promise<PlacedPage<StoredLog>>;
  /** In order of arrival; looks at `linesMax` lines at most. */
  logsBehind(
    filter: LogFilter,
    from: { seq: number; linesMax: number },
  ): Promise<Arrived<StoredLog>>;
  listEvents(query: EventQuery): Promise<PlacedPage<StoredEvent>>;
  eventsBehind(
    filter: EventFilter,
    from: { seq: number; eventsMax: number },
  ): Promise<Arrived<StoredEvent>>;
  /**
   * Drops invocations beyond the bounds, oldest first, and says how many. Those above `invocationsMax` go one by one; by age they go in the batches they came in, once
   * all of a batch are from before `before`.
   */
  trimRecords(bounds: { invocationsMax: number; before: number }): Promise<number>;
  /** Drops lines in the order they came, in steps: from before `before`, then what is above the bounds. Bytes count what the store needs for a line. */
  trimLogs(bounds: { linesMax: number; bytesMax: number; before: number }): Promise<number>;
  trimEvents(bounds: { eventsMax: number; before: number }): Promise<number>;
  logTotals(): Promise<{ lines: number; bytes: number }>;

  close(): Promise<void>;
}
