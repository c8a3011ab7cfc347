import assert from "node:assert/strict";
import { type Answer, HttpConnection, requestBytes } from "./http-connection.ts";
import { type Distribution, distributionOf } from "./statistics.ts";

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

/** Connections that the server closes after an answer are opened anew, and that is part of its cost. Sends until `durationMs` have passed and every answer has come. Latencies go to `samples`, in microseconds. */
async function run(
  connections: HttpConnection[],
  job: LoadJob,
  options: { durationMs: number; samples: number[] },
): Promise<{ reopened: number }> {
  const { durationMs, samples } = options;
  const counts = { reopened: 0 };
  const request = requestFor(job);
  const end = performance.now() + durationMs;
  const check = (answer: Answer): void => {
    if (answer.status === 200 && answer.bodyBytes === job.responseBodyBytes) return;
    const seen = `${answer.status} with ${answer.bodyBytes} bytes`;
    throw new Error(
      `expected 200 with ${job.responseBodyBytes} bytes, got ${seen}: ${answer.head}`,
    );
  };
  const loop = (_: HttpConnection, at: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let sentAt = 0;
    const next = (): void => {
      sentAt = performance.now();
      if (sentAt >= end || samples.length >= samplesMax) return resolve();
      connectionAt(at).send(request, onAnswer);
    };
    const connectionAt = (index: number): HttpConnection => connections[index] as HttpConnection;
    const reopen = async (): Promise<void> => {
      connectionAt(at).close();
      connections[at] = await HttpConnection.open(job.port);
    };
    const onAnswer = (error: Error | null, answer: Answer): void => {
      if (error !== null) return reject(error);
      samples.push((performance.now() - sentAt) * 1000);
      try {
        check(answer);
      } catch (wrong) {
        return reject(wrong);
      }
      if (!connectionAt(at).isLast) return next();
      counts.reopened++;
      reopen().then(next, reject);
    };
    next();
    return promise;
  };
  await Promise.all(connections.map(loop));
  return counts;
}

function requestFor(job: LoadJob): Buffer {
  if (job.requestBodyBytes === 0) return requestBytes(job.path);
  return requestBytes(job.path, { method: "POST", body: Buffer.alloc(job.requestBodyBytes, "x") });
}

/** Between warm-up and measurement nothing is under way: the parent reads the clocks of the processes measured and says `go`. */
async function measure(job: LoadJob, go: Promise<void>): Promise<LoadResult> {
  const opening = Array.from({ length: job.connections }, () => HttpConnection.open(job.port));
  const connections = await Promise.all(opening);
  try {
    await run(connections, job, { durationMs: job.warmupMs, samples: [] });
    tell({ type: "warm" });
    await go;
    const samples: number[] = [];
    const startedAt = performance.now();
    const { reopened } = await run(connections, job, { durationMs: job.durationMs, samples });
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
