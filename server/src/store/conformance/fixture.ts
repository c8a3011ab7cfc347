import type { TestContext } from "node:test";
import type { Clock } from "../../domain/clock.ts";
import { type RevisionSettings, laterSettings } from "../../domain/function.ts";
import type { InvocationRecord, LogRecord } from "../../domain/invocation.ts";
import { chunkOf } from "../../records/chunk-writer.ts";
import type { RecordBatch } from "../../records/record-batch.ts";
import { IsolaError, type ErrorCode } from "../../errors.ts";
import type { Page } from "../page.ts";
import type { NewRevision, Store } from "../store.ts";

/** An empty store that can be closed and opened again on the same data. */
export interface StoreFixture {
  store: Store;
  reopen(): Promise<Store>;
  remove(): Promise<void>;
}

export type OpenStore = (clock: Clock) => Promise<StoreFixture>;

/** A clock whose wall time moves only when told. */
export function steppedClock(startMs = 1_700_000_000_000): Clock & { stepMs(ms: number): void } {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    wall: () => nowMs,
    after: () => () => {},
    stepMs: (ms) => {
      nowMs += ms;
    },
  };
}

export async function openFor(context: TestContext, open: OpenStore) {
  const clock = steppedClock();
  const fixture = await open(clock);
  context.after(() => fixture.remove());
  return { ...fixture, clock };
}

export const settings: RevisionSettings = {
  runtime: "nodejs26",
  handler: "index.handler",
  route: null,
  driver: "process",
  memoryMiB: 128,
  tmpMiB: 64,
  timeoutMs: 30_000,
  initTimeoutMs: 10_000,
  queueTimeoutMs: 10_000,
  concurrency: 1,
  minSandboxes: 0,
  maxSandboxes: 100,
  idleTimeoutMs: 600_000,
  env: { GREETING: "grüß dich \u{1F600}" },
  exposeErrors: false,
  ...laterSettings,
};

export function newRevision(change: Partial<NewRevision> = {}): NewRevision {
  return {
    artifact: { digest: "a".repeat(64), bytes: 2048, entries: 1, unpackedBytes: 12 },
    settings,
    createdBy: "key-1",
    reason: "create",
    ...change,
  };
}

export function create(store: Store, name: string, labels: Record<string, string> = {}) {
  const description = `what ${name} does`;
  return store.createFunction({
    project: "default",
    name,
    description,
    labels,
    first: newRevision(),
  });
}

/** For `assert.rejects`. */
export function refusal(code: ErrorCode, words: RegExp): (error: unknown) => true {
  return (error) => {
    if (error instanceof IsolaError && error.code === code && words.test(error.message)) {
      return true;
    }
    throw error;
  };
}

/** Follows the cursors to the end; `between` runs after each page. */
export async function readAll<T>(
  read: (cursor?: string) => Promise<Page<T>>,
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 10_000; page += 1) {
    const { items, nextCursor } = await read(cursor);
    all.push(...items);
    if (nextCursor === null) return all;
    cursor = nextCursor;
    await between(page);
  }
  throw new Error("the cursors never end");
}

export function invocation(change: Partial<InvocationRecord> = {}): InvocationRecord {
  return {
    id: "inv-1",
    project: "default",
    functionName: "hello",
    functionId: "fn-1",
    revision: 1,
    driver: "process",
    runtime: "nodejs26",
    startKind: "warm",
    sandboxId: "sb-1",
    outcome: "ok",
    errorCode: null,
    errorMessage: null,
    status: 200,
    method: "GET",
    path: "/hello",
    startedAt: 1_700_000_000_000.25,
    totalMs: 1.5,
    queueMs: 0.25,
    startMs: null,
    initMs: null,
    runMs: 1.25,
    requestBytes: 0,
    killMs: 12.5,
    memoryMiB: 128,
    responseMs: 0,
    cpuMs: null,
    memoryPeakBytes: null,
    trace: null,
    responseBytes: 5_000_000_000,
    ...change,
  };
}

let batches = 0;

/** A batch that no other is like. */
export function batchOf(invocations: InvocationRecord[], logs: LogRecord[] = []): RecordBatch {
  batches += 1;
  const chunk = invocations.length === 0 ? null : chunkOf(invocations);
  return { source: "conformance", batch: batches, invocations: chunk, logs };
}

export function logLine(change: Partial<LogRecord> = {}): LogRecord {
  return {
    project: "default",
    functionName: "hello",
    functionId: "fn-1",
    revision: 1,
    invocationId: "inv-1",
    sandboxId: "sb-1",
    at: 1_700_000_000_000.5,
    stream: "stdout",
    level: "info",
    text: "hello",
    truncated: false,
    ...change,
  };
}

/** What a stored line or event was before it had a number. */
export function withoutSeq<T extends { seq: number }>(item: T): Omit<T, "seq"> {
  const bare: Partial<T> = { ...item };
  delete bare.seq;
  return bare as Omit<T, "seq">;
}
