import type {
  Artifact,
  DeployedFunction,
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
import type { InvocationRecord, LogRecord, Outcome } from "../domain/invocation.ts";
import type { RecordBatch } from "../records/record-batch.ts";

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

export interface KeyRow {
  id: string;
  name: string;
  scopes: Scope[];
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
  /** Unix ms, inclusive. */
  since?: number;
  until?: number;
  cursor?: string;
  limit: number;
}

export interface LogQuery {
  project: string;
  functionName: string;
  invocationId?: string;
  since?: number;
  /** Case-sensitive part of the text. */
  contains?: string;
  /** Newest first when true; the cursor goes on in the same direction. */
  newestFirst?: boolean;
  cursor?: string;
  limit: number;
}

/** Where a function answers; null: only on its default route. */
export interface LiveRoute {
  project: string;
  name: string;
  route: Route | null;
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
  liveRoutes(): Promise<LiveRoute[]>;
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
  createKey(key: Omit<KeyRow, "createdAt" | "lastUsedAt" | "revokedAt">): Promise<KeyRow>;
  getKey(id: string): Promise<KeyRow | null>;
  listKeys(): Promise<KeyRow[]>;
  revokeKey(id: string): Promise<KeyRow>;
  touchKeys(used: Map<string, number>): Promise<void>;

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
  /** All of it or nothing; a batch that is stored already is left as it is. */
  recordBatch(batch: RecordBatch): Promise<void>;
  getInvocation(project: string, id: string): Promise<InvocationRecord & { logs: LogRecord[] }>;
  listInvocations(query: InvocationQuery): Promise<Page<InvocationRecord>>;
  /** In no order; functions without calls are left out. */
  callTotals(query: CallTotalsQuery): Promise<CallTotals[]>;
  listLogs(query: LogQuery): Promise<Page<LogRecord & { seq: number }>>;
  /**
   * Drops records beyond the bounds, oldest first, and says how many. Lines go one by one, and so do invocations above `invocationsMax`; by age invocations go in the
   * batches they came in, once all of a batch are from before `before`.
   */
  trimRecords(bounds: { invocationsMax: number; logsMax: number; before: number }): Promise<number>;

  close(): Promise<void>;
}
