import type {
  Artifact,
  DeployedFunction,
  DriverName,
  FunctionName,
  Layer,
  RevisionSettings,
  Route,
} from "../domain/function.ts";
import type {
  ComparisonMachine,
  ComparisonParameters,
  ComparisonSubject,
  DriverResult,
} from "../domain/comparison.ts";
import type { EventKind, PlatformEvent } from "../domain/events.ts";
import type { InvocationRecord, LogRecord, Outcome, StartKind } from "../domain/invocation.ts";
import type { LogLevel } from "../domain/log-level.ts";
import type { Histogram } from "../metrics/histogram.ts";
import type { Distribution, InvocationSums } from "../metrics/invocation-sums.ts";
import type { Grouping } from "../metrics/labels.ts";
import type { Resolution } from "../metrics/resolutions.ts";
import type { RecordBatch } from "../records/record-batch.ts";
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

/** One comparison of drivers, whatever became of it. */
export interface ComparisonRow {
  id: string;
  project: string;
  functionName: string;
  revision: number;
  state: "running" | "done" | "failed" | "cancelled";
  /** Why it failed; empty otherwise. */
  message: string;
  subject: ComparisonSubject;
  parameters: ComparisonParameters;
  machine: ComparisonMachine;
  drivers: DriverResult[];
  /** Calls of everybody else that ended meanwhile. */
  otherCalls: number;
  startedAt: number;
  endedAt: number | null;
}

export type ComparisonEnd = Pick<
  ComparisonRow,
  "state" | "message" | "drivers" | "otherCalls" | "endedAt"
>;

export interface ComparisonQuery {
  project: string;
  functionName?: string;
  cursor?: string;
  limit: number;
}

/** What the calls that reached a sandbox came to, of one function on one driver and with one revision came to. */
export interface CallTotals {
  functionName: string;
  functionId: string;
  revision: number;
  driver: string;
  calls: number;
  /** Sum over all calls of start, init and run: the time in which a sandbox was theirs. */
  busyMs: number;
  /** Sum of init and run, each call rounded up to a whole ms: what is billed where time is. */
  billedMs: number;
}

export interface CallTotalsQuery {
  project: string;
  functionName?: string;
  /** Unix ms, inclusive. */
  since: number;
  /** Exclusive. */
  until: number;
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

export interface Page<T> {
  items: T[];
  /** Give it back as `cursor` for the rest; null at the end. */
  nextCursor: string | null;
}

export interface FunctionQuery {
  project: string;
  /** Part of the name or the description. */
  query?: string;
  /** `key` or `key=value`, all must hold. */
  labels?: string[];
  sort: "name" | "-name" | "updatedAt" | "-updatedAt" | "createdAt" | "-createdAt";
  cursor?: string;
  limit: number;
}

export interface InvocationQuery {
  project: string;
  functionName?: string;
  outcome?: Outcome;
  /** `none`: it never reached a sandbox. */
  startKind?: StartKind | "none";
  driver?: string;
  minDurationMs?: number;
  /** Unix ms, inclusive. */
  since?: number;
  until?: number;
  cursor?: string;
  limit: number;
}

/** Names of labels and what they are in a group. */
export type GroupLabels = Partial<Record<Grouping, string | number>>;

export interface MetricsFilter {
  /** Left out: of all. */
  project?: string;
  functionNames?: readonly string[];
  revision?: number;
  driver?: string;
  outcome?: string;
  startKind?: string;
}

/** Numbers by group and step. Times are minutes since 1970, `from` inclusive and `until` exclusive, whole steps of at least `resolution`. */
export interface MetricsQuery {
  filter: MetricsFilter;
  groupBy: readonly Grouping[];
  from: number;
  until: number;
  stepMinutes: number;
  /** Minutes, hours or days are read; of what is not added up yet, the finer ones. */
  resolution: Resolution;
}

/** A step of a group in which there was something; `at` is its begin. */
interface MetricPoint {
  labels: GroupLabels;
  at: number;
}
export type InvocationPoint = MetricPoint & { sums: InvocationSums };
export type DistributionPoint = MetricPoint & { histogram: Histogram };
export type MeasurePoint = MetricPoint & {
  /** `most`: null where several series are in it, whose largest values need not have come together. */
  values: { measure: string; detail: string; total: number; most: number | null }[];
};

export interface MetricsKept {
  minutesKeptMinutes: number;
  hoursKeptMinutes: number;
  daysKeptMinutes: number;
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
  /** Its events, and those of no project unless `isItsOwn`. */
  project: string;
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
export interface Store {
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
  /** Of every live revision, to refuse conflicts; to be asked while nothing changes. */
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

  /** Comparisons. */
  /** Of those that have ended the last 200 of a project are kept. */
  addComparison(comparison: ComparisonRow): Promise<void>;
  endComparison(id: string, end: ComparisonEnd): Promise<void>;
  /** Rejects with `not_found`. */
  getComparison(project: string, id: string): Promise<ComparisonRow>;
  /** Newest first. */
  listComparisons(query: ComparisonQuery): Promise<Page<ComparisonRow>>;
  /** Rejects with `not_found`. */
  deleteComparison(project: string, id: string): Promise<void>;
  /** What an earlier life left running has failed, with this message. */
  closeComparisons(message: string): Promise<void>;

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
  /** In no order; functions without calls are left out. */
  callTotals(query: CallTotalsQuery): Promise<CallTotals[]>;
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

  /** Metrics. */
  /** Adds the records that are not counted yet to the metrics, each once. What reads or trims does so first; to be called now and then, so that it has little to do. */
  countInvocations(): Promise<void>;
  sumInvocations(query: MetricsQuery): Promise<InvocationPoint[]>;
  readDistribution(query: MetricsQuery, distribution: Distribution): Promise<DistributionPoint[]>;
  /** Of series without outcome and start kind. */
  sumMeasures(query: MetricsQuery, measures: readonly string[]): Promise<MeasurePoint[]>;
  /** Adds minutes up to hours, and hours to days, where these are over. Says for how many series. */
  rollUpMetrics(): Promise<number>;
  trimMetrics(kept: MetricsKept): Promise<void>;

  close(): Promise<void>;
}
