import type { SandboxLog } from "@isola/protocol/channel-types";
import { systemClock } from "../domain/clock.ts";
import { type DeployedFunction, laterSettings } from "../domain/function.ts";
import type { InvocationRecord, LogRecord } from "../domain/invocation.ts";
import type { Equipment, RuntimeSpec } from "../drivers/driver.ts";
import { INSIDE } from "../drivers/sandbox-view.ts";
import { IsolaError } from "../errors.ts";
import type { BuildParams, BuildResult, LinkNotices } from "../link/messages.ts";
import type { Pools } from "../pool/pools.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import { RevisionPool } from "../pool/revision-pool.ts";
import { CallCount } from "./admission.ts";
import { httpLines } from "./api-invoke.ts";
import { FileReply } from "./file-reply.ts";
import { Invocation } from "./invocation.ts";
import { SandboxLogs } from "./sandbox-logs.ts";

/** Lines go to the control plane in batches. */
const LINES_EVERY_MS = 100;
const INIT_TIMEOUT_MS = 60_000;
const QUEUE_TIMEOUT_MS = 60_000;

interface Build {
  id: string;
  reply: FileReply;
  lines: string[];
  cancelFlush: () => void;
  isCancelled: boolean;
  onRecord: (record: InvocationRecord) => void;
}

export interface BuildRunnerOptions {
  pools: Pools;
  runtimes: ReadonlyMap<string, RuntimeSpec>;
  sendOutput(output: LinkNotices["buildOutput"]): void;
}

/**
 * Runs builds: each is one invocation in a fresh sandbox of its own, which is destroyed afterwards, under the limits, deadlines and kills of every other. Its log lines
 * are the output of the build and no log of a function.
 */
export class BuildRunner {
  readonly #options: BuildRunnerOptions;
  readonly #builds = new Map<string, Build>();
  readonly #pools = new Set<RevisionPool>();
  readonly #logs: SandboxLogs;

  constructor(options: BuildRunnerOptions) {
    this.#options = options;
    this.#logs = new SandboxLogs({
      clock: systemClock,
      onRecord: (record) => this.#onLine(record),
      onStray: () => {}, // of a sandbox whose build is over
    });
  }

  /** Rejects with what the platform failed in: `driver_unavailable`, `shutting_down`. */
  async run(params: BuildParams): Promise<BuildResult> {
    const { pools, runtimes } = this.#options;
    const fn = functionOf(params, placesFor(params, runtimes.get(params.runtime)));
    const equipment = equipmentFor(params, runtimes.get(params.runtime));
    const pool = pools.open(fn, { equipment });
    this.#pools.add(pool);
    const reply = new FileReply(params.outputPath, params.outputBytesMax);
    const done = Promise.withResolvers<InvocationRecord>();
    const build: Build = {
      id: params.id,
      reply,
      lines: [],
      cancelFlush: () => {},
      isCancelled: false,
      onRecord: done.resolve,
    };
    this.#builds.set(params.id, build);
    try {
      this.#invocation(params.id, pool, build).start();
      const record = await done.promise;
      return resultOf(build, record, await reply.written(record.outcome === "ok"));
    } finally {
      this.#flush(build);
      this.#builds.delete(params.id);
      pools.remove(pool);
      this.#pools.delete(pool);
    }
  }

  cancel(id: string): void {
    const build = this.#builds.get(id);
    if (build === undefined) return;
    build.isCancelled = true;
    build.reply.onGone();
  }

  /** Nobody waits for any of them. */
  cancelAll(): void {
    for (const id of this.#builds.keys()) this.cancel(id);
  }

  /** Whether what the sandbox says is the output of a build. */
  owns(sandbox: PooledSandbox): boolean {
    return sandbox.owner instanceof RevisionPool && this.#pools.has(sandbox.owner);
  }

  onLog(sandbox: PooledSandbox, line: SandboxLog): void {
    this.#logs.onLog(sandbox, line);
  }

  onRaw(sandbox: PooledSandbox, stream: "stdout" | "stderr", bytes: Buffer): void {
    this.#logs.onRaw(sandbox, stream, bytes);
  }

  #invocation(id: string, pool: RevisionPool, build: Build): Invocation {
    const context = {
      clock: systemClock,
      logs: this.#logs,
      onDone: (_call: unknown, record: InvocationRecord) => build.onRecord(record),
      onLateFrame: () => {},
    };
    const lines = httpLines({ method: "POST", target: "/" });
    const request = {
      ...{ id, isEvent: false, trace: null, lines, headerBlock: "", body: null, path: "/" },
      // Of a function of its own, so it takes no place from the calls of any.
      count: new CallCount(),
    };
    return new Invocation(context, pool, request, build.reply);
  }

  /** `functionId` is that of the build: see `functionOf`. */
  #onLine({ functionId, text }: LogRecord): void {
    const build = this.#builds.get(functionId);
    if (build === undefined) return;
    build.lines.push(text);
    if (build.lines.length > 1) return;
    build.cancelFlush = systemClock.after(LINES_EVERY_MS, () => this.#flush(build));
  }

  #flush(build: Build): void {
    build.cancelFlush();
    if (build.lines.length === 0) return;
    this.#options.sendOutput({ id: build.id, lines: build.lines });
    build.lines = [];
  }
}

function resultOf(build: Build, record: InvocationRecord, isWhole: boolean): BuildResult {
  const { reply } = build;
  const said = { status: reply.status, said: reply.said };
  if (build.isCancelled)
    return { outcome: "cancelled", errorCode: "cancelled", message: "it was cancelled", ...said };
  if (reply.problem !== null)
    return { outcome: "function_error", errorCode: null, message: reply.problem, ...said };
  const isCut = record.outcome === "ok" && !isWhole;
  return {
    outcome: isCut ? "function_error" : record.outcome,
    errorCode: record.errorCode,
    message: isCut ? "what it made did not arrive whole" : (record.errorMessage ?? ""),
    ...said,
  };
}

/** A build in the shape of a function, which no table holds. */
function functionOf(params: BuildParams, env: Record<string, string>): DeployedFunction {
  const { id, project, name, runtime, driver, code, handler, timeoutMs, memoryMiB } = params;
  return {
    project,
    name: `${name} (build)`,
    functionId: id,
    revision: 0,
    artifact: code,
    settings: {
      ...laterSettings,
      ...{ runtime, driver, handler, memoryMiB, timeoutMs },
      route: null,
      // What is written there counts as memory, which bounds it.
      tmpMiB: memoryMiB,
      initTimeoutMs: INIT_TIMEOUT_MS,
      queueTimeoutMs: QUEUE_TIMEOUT_MS,
      concurrency: 1,
      minSandboxes: 0,
      maxSandboxes: 1,
      idleTimeoutMs: 1000,
      env,
      exposeErrors: true,
      afterResponse: "kill",
    },
  };
}

/** Where the builder finds its tools: as a sandbox with a view of its own has them, else as the host has them. */
function placesFor({ socket }: BuildParams, runtime: RuntimeSpec | undefined) {
  const tools = (runtime?.tools?.companions ?? []).map(({ from, at }) => [
    at,
    [`${INSIDE}/${at}`, from],
  ]);
  const places = Object.fromEntries([...tools, ["socket", [socket.at, socket.from]]]);
  return { ISOLA_BUILD_PLACES: JSON.stringify(places) };
}

/** Throws `driver_unavailable` where the runtime has no tools. A runtime that is not there is told by the pool. */
function equipmentFor({ socket }: BuildParams, runtime: RuntimeSpec | undefined): Equipment {
  if (runtime !== undefined && (runtime.tools?.companions.length ?? 0) === 0) {
    const why = runtime.tools?.problem ?? `${runtime.name} has no tools for it`;
    throw new IsolaError("driver_unavailable", `builds cannot run here: ${why}`);
  }
  return { hasTools: true, sockets: [socket] };
}
