import type { Kysely } from "kysely";
import type { Clock } from "../domain/clock.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import type { Distribution } from "../metrics/invocation-sums.ts";
import type { Layer } from "../domain/function.ts";
import * as builds from "./queries/builds.ts";
import * as events from "./queries/events.ts";
import { callTotals } from "./queries/call-totals.ts";
import * as comparisons from "./queries/comparisons.ts";
import * as functions from "./queries/functions.ts";
import * as idempotency from "./queries/idempotency.ts";
import { selectInvocation } from "./queries/invocation-chunks.ts";
import * as keys from "./queries/keys.ts";
import * as layers from "./queries/layers.ts";
import { listFunctions } from "./queries/list-functions.ts";
import { listInvocations } from "./queries/list-invocations.ts";
import * as logs from "./queries/logs.ts";
import { countChunks } from "./queries/count-chunks.ts";
import { storeBatch } from "./queries/record-batches.ts";
import * as projects from "./queries/projects.ts";
import * as metrics from "./queries/metrics.ts";
import { rollUp } from "./queries/roll-up.ts";
import { trimMetrics } from "./queries/trim-metrics.ts";
import * as scheduleRuns from "./queries/schedule-runs.ts";
import * as revisions from "./queries/revisions.ts";
import * as sessions from "./queries/sessions.ts";
import { trimEvents } from "./queries/trim-events.ts";
import { logTotals, trimLogs } from "./queries/trim-logs.ts";
import { trimRecords } from "./queries/trim-records.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { MetricsKept, MetricsQuery } from "./metrics-store.ts";
import type {
  CallTotalsQuery,
  ComparisonEnd,
  ComparisonQuery,
  ComparisonRow,
} from "./comparison-store.ts";
import type {
  BuildQuery,
  BuildRow,
  EventFilter,
  EventQuery,
  FunctionQuery,
  InvocationQuery,
  KeyRow,
  LogFilter,
  LogQuery,
  SessionRow,
  ProjectChange,
  ProjectRow,
} from "./store.ts";
import type { Metadata, NewRevision, RevisionRow, Store } from "./store.ts";
import type { DeploymentTables, RecordTables } from "./tables.ts";

export interface SqlStoreParts {
  /** Its commits are on disk when they return. */
  deployments: Kysely<DeploymentTables>;
  /** May lose its last commits on a power cut, never its consistency. */
  records: Kysely<RecordTables>;
  clock: Clock;
  newFunctionId: () => string;
  close: () => Promise<void>;
}

/** The store over SQL, whatever the engine: it dispatches to the query files and knows the time. */
export class SqlStore implements Store {
  readonly #parts: SqlStoreParts;

  constructor(parts: SqlStoreParts) {
    this.#parts = parts;
  }

  get #db(): Kysely<DeploymentTables> {
    return this.#parts.deployments;
  }

  #nowMs(): number {
    return this.#parts.clock.wall();
  }

  createProject(project: Pick<ProjectRow, "name" | "description" | "driver">) {
    return projects.createProject(this.#db, project, this.#nowMs());
  }

  getProject(name: string) {
    return projects.getProject(this.#db, name);
  }

  listProjects(page: { cursor?: string; limit: number }) {
    return projects.listProjects(this.#db, page);
  }

  updateProject(name: string, change: ProjectChange, ifVersion?: number) {
    return projects.updateProject(this.#db, { name, ifVersion }, change, this.#nowMs());
  }

  deleteProject(name: string, ifVersion?: number) {
    return projects.deleteProject(this.#db, { name, ifVersion }, this.#nowMs());
  }

  createFunction(input: Parameters<Store["createFunction"]>[0]) {
    const id = this.#parts.newFunctionId();
    return functions.createFunction(this.#db, { ...input, id }, this.#nowMs());
  }

  getFunction(project: string, name: string) {
    return functions.getFunction(this.#db, project, name);
  }

  listFunctions(query: FunctionQuery) {
    return listFunctions(this.#db, query);
  }

  addRevision(
    project: string,
    name: string,
    change: (live: RevisionRow) => NewRevision,
    ifVersion?: number,
  ) {
    const target = { project, name, ifVersion };
    return functions.addRevision(this.#db, target, change, this.#nowMs());
  }

  updateMetadata(project: string, name: string, change: Metadata, ifVersion?: number) {
    const target = { project, name, ifVersion };
    return functions.updateMetadata(this.#db, target, change, this.#nowMs());
  }

  setLive(project: string, name: string, revision: number, ifVersion?: number) {
    return functions.setLive(this.#db, { project, name, ifVersion }, revision, this.#nowMs());
  }

  deleteFunction(project: string, name: string, ifVersion?: number) {
    return functions.deleteFunction(this.#db, { project, name, ifVersion }, this.#nowMs());
  }

  getRevision(functionId: string, revision: number) {
    return revisions.selectRevision(this.#db, functionId, revision);
  }

  listRevisions(functionId: string, page: { cursor?: string; limit: number }) {
    return revisions.listRevisions(this.#db, functionId, page);
  }

  deployedFunctions() {
    return revisions.deployedFunctions(this.#db);
  }

  liveFunctions() {
    return revisions.liveFunctions(this.#db);
  }

  artifactDigests() {
    return revisions.artifactDigests(this.#db);
  }

  getLayer(key: string) {
    return layers.getLayer(this.#db, key, this.#nowMs());
  }

  putLayer(key: string, layer: Layer) {
    return layers.putLayer(this.#db, key, layer, this.#nowMs());
  }

  trimLayers(bounds: { before: number; bytesMax: number }) {
    return layers.trimLayers(this.#db, bounds);
  }

  addBuild(build: BuildRow) {
    return builds.addBuild(this.#db, build);
  }

  endBuild(id: string, end: Parameters<Store["endBuild"]>[1]) {
    return builds.endBuild(this.#db, id, end);
  }

  listBuilds(query: BuildQuery) {
    return builds.listBuilds(this.#db, query);
  }

  closeBuilds(message: string) {
    return builds.closeBuilds(this.#db, message, this.#nowMs());
  }

  trimBuilds(before: number) {
    return builds.trimBuilds(this.#db, before);
  }

  addComparison(comparison: ComparisonRow) {
    return comparisons.addComparison(this.#db, comparison);
  }

  endComparison(id: string, end: ComparisonEnd) {
    return comparisons.endComparison(this.#db, id, end);
  }

  getComparison(project: string, id: string) {
    return comparisons.getComparison(this.#db, project, id);
  }

  listComparisons(query: ComparisonQuery) {
    return comparisons.listComparisons(this.#db, query);
  }

  deleteComparison(project: string, id: string) {
    return comparisons.deleteComparison(this.#db, project, id);
  }

  closeComparisons(message: string) {
    return comparisons.closeComparisons(this.#db, message, this.#nowMs());
  }

  scheduledFunctions() {
    return revisions.scheduledFunctions(this.#db);
  }

  beginScheduleRuns(runs: Parameters<ScheduleStore["beginScheduleRuns"]>[0], wrongFrom: number) {
    return scheduleRuns.beginScheduleRuns(this.#db, runs, wrongFrom);
  }

  noteSchedules(notes: Parameters<ScheduleStore["noteSchedules"]>[0]) {
    return scheduleRuns.noteSchedules(this.#db, notes);
  }

  listScheduleRuns(functionId?: string) {
    return scheduleRuns.listScheduleRuns(this.#db, functionId);
  }

  forgetScheduleRuns(functionId: string, kept: readonly string[]) {
    return scheduleRuns.forgetScheduleRuns(this.#db, functionId, kept);
  }

  createKey(key: Omit<KeyRow, "createdAt" | "lastUsedAt" | "revokedAt">) {
    return keys.createKey(this.#db, key, this.#nowMs());
  }

  getKey(id: string) {
    return keys.getKey(this.#db, id);
  }

  listKeys() {
    return keys.listKeys(this.#db);
  }

  revokeKey(id: string) {
    return keys.revokeKey(this.#db, id, this.#nowMs());
  }

  touchKeys(used: Map<string, number>) {
    return keys.touchKeys(this.#db, used);
  }

  createSession(session: SessionRow) {
    return sessions.createSession(this.#db, session);
  }

  getSession(tokenHash: string) {
    return sessions.getSession(this.#db, tokenHash);
  }

  extendSession(tokenHash: string, expiresAt: number) {
    return sessions.extendSession(this.#db, tokenHash, expiresAt);
  }

  deleteSession(tokenHash: string) {
    return sessions.deleteSession(this.#db, tokenHash);
  }

  getIdempotent(keyId: string, key: string) {
    return idempotency.getIdempotent(this.#db, { keyId, key }, this.#nowMs());
  }

  putIdempotent(keyId: string, key: string, answer: idempotency.IdempotentAnswer) {
    return idempotency.putIdempotent(this.#db, { keyId, key }, answer, this.#nowMs());
  }

  recordBatch(batch: RecordBatch) {
    return storeBatch(this.#parts.records, batch, this.#nowMs());
  }

  async getInvocation(project: string, id: string) {
    const record = await selectInvocation(this.#parts.records, project, id);
    return { ...record, logs: await logs.logsOfInvocation(this.#parts.records, project, id) };
  }

  listInvocations(query: InvocationQuery) {
    return listInvocations(this.#parts.records, query);
  }

  callTotals(query: CallTotalsQuery) {
    return callTotals(this.#parts.records, query);
  }

  listLogs(query: LogQuery) {
    return logs.listLogs(this.#parts.records, query);
  }

  logsBehind(filter: LogFilter, from: { seq: number; linesMax: number }) {
    return logs.logsBehind(this.#parts.records, filter, from);
  }

  listEvents(query: EventQuery) {
    return events.listEvents(this.#parts.records, query);
  }

  eventsBehind(filter: EventFilter, from: { seq: number; eventsMax: number }) {
    return events.eventsBehind(this.#parts.records, filter, from);
  }

  async trimRecords(bounds: { invocationsMax: number; before: number }) {
    await this.countInvocations();
    return trimRecords(this.#parts.records, bounds);
  }

  trimLogs(bounds: { linesMax: number; bytesMax: number; before: number }) {
    return trimLogs(this.#parts.records, bounds);
  }

  trimEvents(bounds: { eventsMax: number; before: number }) {
    return trimEvents(this.#parts.records, bounds);
  }

  logTotals() {
    return logTotals(this.#parts.records);
  }

  countInvocations() {
    return countChunks(this.#parts.records);
  }

  async sumInvocations(query: MetricsQuery) {
    await this.countInvocations();
    return metrics.sumInvocations(this.#parts.records, query);
  }

  async readDistribution(query: MetricsQuery, distribution: Distribution) {
    await this.countInvocations();
    return metrics.readDistribution(this.#parts.records, query, distribution);
  }

  sumMeasures(query: MetricsQuery, measures: readonly string[]) {
    return metrics.sumMeasures(this.#parts.records, query, measures);
  }

  async rollUpMetrics() {
    await this.countInvocations();
    return rollUp(this.#parts.records, this.#nowMs());
  }

  trimMetrics(kept: MetricsKept) {
    return trimMetrics(this.#parts.records, this.#nowMs(), kept);
  }

  close() {
    return this.#parts.close();
  }
}
