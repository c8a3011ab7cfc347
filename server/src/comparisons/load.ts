import assert from "node:assert/strict";
import { type Answer, HttpConnection } from "./http-connection.ts";
import type { FromLoad, LoadJob, LoadResult, ToLoad } from "./load-job.ts";
import { distributionOf } from "./statistics.ts";

/** The process that makes the load of comparisons, so that its work is not that of any process measured. One job at a time; it ends with its channel. */

const SAMPLES_MAX = 2_000_000;
const SHOWN_CHARS_MAX = 500;
const BODY_BYTES_MAX = 65_536;

async function measure(job: LoadJob, go: Promise<void>): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: job.connections }, () => open(job)));
  const samples: number[] = [];
  try {
    if (job.warmupMs > 0) await run(connections, job, { forMs: job.warmupMs, samples: [] });
    tell({ type: "warm" });
    await go;
    const startedAt = performance.now();
    await run(connections, job, { forMs: job.durationMs, samples });
    const seconds = (performance.now() - startedAt) / 1000;
    const { count, p50, p99 } = distributionOf(samples);
    return { calls: count, seconds, p50Ms: p50, p99Ms: p99 };
  } finally {
    for (const connection of connections) connection.close();
  }
}

function open({ socketPath }: LoadJob): Promise<HttpConnection> {
  return HttpConnection.open({ path: socketPath }, { keepsBodies: true });
}

async function run(
  connections: HttpConnection[],
  job: LoadJob,
  { forMs, samples }: { forMs: number; samples: number[] },
): Promise<void> {
  const request = Buffer.from(job.request, "base64");
  const end = performance.now() + forMs;
  const loop = async (at: number) => {
    do {
      const connection = connections[at] as HttpConnection;
      const sentAt = performance.now();
      const answer = await connection.call(request);
      samples.push(performance.now() - sentAt);
      check(answer);
      if (connection.isLast) {
        connection.close();
        connections[at] = await open(job);
      }
    } while (performance.now() < end && samples.length < SAMPLES_MAX);
  };
  await Promise.all(connections.map((_, at) => loop(at)));
}

function check({ status, body }: Answer): void {
  if (status >= 200 && status < 400) return;
  const text = body?.toString("utf8", 0, 4 * SHOWN_CHARS_MAX) ?? "";
  const words = body === null || body.length > BODY_BYTES_MAX ? text : wordsOf(body);
  throw new Error(`it answered ${status}: ${words.slice(0, SHOWN_CHARS_MAX)}`);
}

/** An error of Isola without what surrounds it; any other body as it is. */
function wordsOf(body: Buffer): string {
  const text = body.toString("utf8");
  try {
    const { code, message } = (JSON.parse(text) as { error: Record<string, unknown> }).error;
    return typeof message === "string" ? `${String(code)}: ${message}` : text;
  } catch {
    return text; // the function's own
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
    (error: unknown) => tell({ type: "failed", message: (error as Error).message }),
  );
});
process.on("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
assert(process.send, "load.ts is started by the control plane");
