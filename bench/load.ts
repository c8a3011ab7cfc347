import assert from "node:assert/strict";
import {
  type Answer,
  HttpConnection,
  requestBytes,
} from "../server/src/comparisons/http-connection.ts";
import { type Distribution, distributionOf } from "../server/src/comparisons/statistics.ts";

/** One measurement in a closed loop: each connection sends its next request when the answer to the last has come. */
export interface LoadJob {
  port: number;
  path: string;
  /** 0: a GET. Otherwise a POST of this many bytes. */
  requestBodyBytes: number;
  /** Every answer must have status 200 and this many body bytes. */
  responseBodyBytes: number;
  connections: number;
  warmupMs: number;
  durationMs: number;
}

export interface LoadResult {
  requests: number;
  /** Connections that the server closed after an answer. */
  reopened: number;
  seconds: number;
  /** Microseconds from the write of the request to the end of the answer. */
  latencyMicros: Distribution;
}

export type ToLoad = { type: "run"; job: LoadJob } | { type: "go" };
export type FromLoad =
  | { type: "warm" }
  | { type: "done"; result: LoadResult }
  | { type: "failed"; message: string };

const samplesMax = 4_000_000;

/** What the loops of one measurement share. */
interface Progress {
  /** Of `performance.now()`: nothing is sent after it. */
  end: number;
  /** Microseconds. */
  samples: number[];
  reopened: number;
}

/** Sends until `durationMs` have passed and every answer has come. */
async function run(
  connections: HttpConnection[],
  job: LoadJob,
  durationMs: number,
): Promise<Progress> {
  const progress = { end: performance.now() + durationMs, samples: [], reopened: 0 };
  await Promise.all(connections.map((_, at) => loop(connections, at, { job, progress })));
  return progress;
}

/** A connection that the server closes after an answer is opened anew, which is part of its cost. */
async function loop(
  connections: HttpConnection[],
  at: number,
  { job, progress }: { job: LoadJob; progress: Progress },
): Promise<void> {
  const request = requestFor(job);
  const { samples, end } = progress;
  let connection = connections[at] as HttpConnection;
  while (samples.length < samplesMax) {
    const sentAt = performance.now();
    if (sentAt >= end) return;
    const answer = await connection.call(request);
    samples.push((performance.now() - sentAt) * 1000);
    check(answer, job);
    if (!connection.isLast) continue;
    connection.close();
    connection = await HttpConnection.open({ port: job.port });
    connections[at] = connection;
    progress.reopened++;
  }
}

function check(answer: Answer, job: LoadJob): void {
  if (answer.status === 200 && answer.bodyBytes === job.responseBodyBytes) return;
  const seen = `${answer.status} with ${answer.bodyBytes} bytes`;
  throw new Error(`expected 200 with ${job.responseBodyBytes} bytes, got ${seen}: ${answer.head}`);
}

function requestFor(job: LoadJob): Buffer {
  if (job.requestBodyBytes === 0) return requestBytes(job.path);
  return requestBytes(job.path, { method: "POST", body: Buffer.alloc(job.requestBodyBytes, "x") });
}

/** Between warm-up and measurement nothing is under way: the parent reads the clocks of the processes measured and says `go`. */
async function measure(job: LoadJob, go: Promise<void>): Promise<LoadResult> {
  const opening = Array.from({ length: job.connections }, () =>
    HttpConnection.open({ port: job.port }),
  );
  const connections = await Promise.all(opening);
  try {
    await run(connections, job, job.warmupMs);
    tell({ type: "warm" });
    await go;
    const startedAt = performance.now();
    const { samples, reopened } = await run(connections, job, job.durationMs);
    const seconds = (performance.now() - startedAt) / 1000;
    return { requests: samples.length, reopened, seconds, latencyMicros: distributionOf(samples) };
  } finally {
    for (const connection of connections) connection.close();
  }
}

function tell(message: FromLoad): void {
  process.send?.(message);
}

let go: PromiseWithResolvers<void> | null = null;

process.on("message", (message: ToLoad) => {
  if (message.type === "go") return go?.resolve();
  go = Promise.withResolvers();
  measure(message.job, go.promise).then(
    (result) => tell({ type: "done", result }),
    (error: unknown) => tell({ type: "failed", message: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
assert(process.send, "load.ts is started by load-generator.ts");
