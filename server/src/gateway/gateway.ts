import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Boot, Config } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { preferredDrivers } from "../domain/function.ts";
import { idSource } from "../domain/ids.ts";
import { IsolaError, messageOf } from "../errors.ts";
import type { FunctionKey, GatewayStatus, WarmResult } from "../link/messages.ts";
import { LinkServer } from "../link/server.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import { Pools } from "../pool/pools.ts";
import { Admission, type CallCount } from "./admission.ts";
import { ApiInvoker } from "./api-invoke.ts";
import { BuildRunner } from "./build-runner.ts";
import { CodeCache } from "./code-cache.ts";
import { CallMeter } from "./call-meter.ts";
import { CallTraces } from "./call-traces.ts";
import { DebugSessions } from "./debugging/debug-sessions.ts";
import { FunctionEntry, FunctionTable } from "./function-table.ts";
import type { GatheredEvents } from "./gathered-events.ts";
import type { InvocationContext } from "./invocation-context.ts";
import { Listener } from "./listener.ts";
import type { Machine } from "./machine.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { Sampler } from "./sampler.ts";
import { SandboxLogs } from "./sandbox-logs.ts";
import { Trials } from "./trials.ts";
import { warmUp } from "./warm-up.ts";

/** Starts at once, per core: beyond it callers rather wait for a sandbox that becomes free. */
const STARTS_PER_CORE = 4;
const RECORDS_DRAIN_MS = 2000;

/** The data plane of one process: pools, the functions listener, and its end of the link. `made -> open -> draining -> closed`. */
export class Gateway {
  readonly #config: Config;
  readonly #machine: Machine;
  readonly #socketPath: string;
  readonly #pools: Pools;
  readonly #table: FunctionTable;
  readonly #records: RecordBuffer;
  readonly #events: GatheredEvents;
  readonly #logs: SandboxLogs;
  readonly #builds: BuildRunner;
  readonly #invoker: ApiInvoker;
  readonly #listener: Listener;
  readonly #link: LinkServer;
  readonly #madeAt = systemClock.now();
  readonly #admission: Admission;
  readonly #meter = new CallMeter(systemClock);
  readonly #sampler: Sampler;
  readonly #trials: Trials;
  readonly #debugSessions: DebugSessions;
  readonly #onProblem: (message: string) => void;
  #lateFrames = 0;
  /** That have ended. */
  #calls = 0;
  #onQuiet: () => void = () => {};

  constructor(config: Config, boot: Boot, machine: Machine) {
    const { events } = machine;
    this.#events = events;
    this.#config = config;
    this.#machine = machine;
    this.#socketPath = boot.gatewaySocketPath;
    const onProblem = (message: string) => boot.log.warn(message);
    this.#onProblem = onProblem;
    this.#records = new RecordBuffer(systemClock, (batch) => this.#link.sendRecords(batch));
    events.open({
      add: (event) => this.#records.addEvent(event),
      dropped: (count) => this.#records.noteEventsLost(count),
    });
    this.#logs = new SandboxLogs({
      clock: systemClock,
      onRecord: (record) => this.#records.addLog(record),
      onStray: (sandbox, text) => boot.log.warn({ sandbox, text }, "output of a blank sandbox"),
    });
    this.#pools = this.#makePools(boot.bootId, onProblem);
    this.#admission = new Admission(config.invocationsMax);
    this.#builds = new BuildRunner({
      pools: this.#pools,
      runtimes: machine.runtimes,
      sendOutput: (output) => this.#link.sendBuildOutput(output),
    });
    this.#table = new FunctionTable(this.#pools, this.#admission, onProblem);
    const calls = {
      table: this.#table,
      context: {
        clock: systemClock,
        logs: this.#logs,
        onDone: ((call, record, count) => {
          this.#calls += 1;
          this.#meter.measure(record, call.use, (known) => this.#records.addInvocation(known));
          if (record.outcome !== "ok") events.onCall(call.fn, record);
          this.#leave(count);
        }) satisfies InvocationContext["onDone"],
        onLateFrame: () => {
          this.#lateFrames += 1;
        },
      },
      newId: idSource("inv"),
      traces: config.tracesEndpoint === null ? null : new CallTraces(config.tracesRatio),
      admit: (count: CallCount) => this.#admit(count),
    };
    this.#sampler = new Sampler({
      clock: systemClock,
      pools: () => this.#pools.sample(),
      memoryBudgetMiB: config.memoryBudgetMiB,
      lateFrames: () => this.#lateFrames,
      logLinesLost: () => this.#records.logsLost,
      onSample: (sample) => this.#records.addSample(sample),
    });
    const { gatewayHost: host, gatewayPort: port, trustedProxies } = config;
    this.#invoker = new ApiInvoker(calls);
    const at = { host, port };
    this.#listener = new Listener({ ...calls, at, limits: config, trustedProxies, onProblem });
    this.#trials = new Trials({
      ...{ pools: this.#pools, limits: config, newId: calls.newId, onProblem },
      socketPath: join(dirname(boot.gatewaySocketPath), "trial.sock"),
      keeperPid: () => machine.keeping.pid(),
      otherCalls: () => this.#calls,
    });
    this.#debugSessions = new DebugSessions({
      ...{ pools: this.#pools, table: this.#table, runDir: boot.runDir },
      socketDir: dirname(boot.gatewaySocketPath),
      onNews: (told) => this.#link.sendDebugNews(told),
    });
    this.#link = this.#makeLink();
  }

  /** Rejects with `port_taken`, and then nothing is left open. */
  async open(): Promise<{ host: string; port: number }> {
    const port = await this.#listener.listen();
    await this.#link.listen(this.#socketPath);
    this.#pools.start();
    this.#sampler.start();
    return { host: this.#config.gatewayHost, port };
  }

  /** Accepts nothing new; resolves when the calls under way have ended, or at `drainTimeoutMs`. */
  async drain(): Promise<void> {
    const answered = this.#listener.drain();
    // What stands still at a breakpoint would stand for ever.
    void this.#debugSessions.end("the server stops");
    const quiet = new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
      if (this.#admission.calls === 0) resolve();
    });
    const tooLong = new Promise<void>((resolve) => {
      setTimeout(resolve, this.#config.drainTimeoutMs).unref();
    });
    await Promise.race([Promise.all([answered, quiet]), tooLong]);
    this.#events.flush();
    await this.#meter.settled();
    this.#sampler.sample();
    await this.#records.drained(RECORDS_DRAIN_MS);
  }

  /** Calls that still run end with `shutting_down`, or are cut where their answer has begun. */
  async close(): Promise<void> {
    void this.#listener.drain();
    await this.#trials.close().catch((error: unknown) => this.#onProblem(messageOf(error)));
    await this.#debugSessions.closeAll();
    await this.#pools.close();
    await this.#machine.keeping.close();
    await this.#listener.close();
    this.#events.flush();
    await this.#meter.settled();
    this.#sampler.close();
    await this.#records.drained(RECORDS_DRAIN_MS);
    await this.#link.close();
  }

  /** Throws `too_many_requests`, and counts it. */
  #admit(count: CallCount): void {
    try {
      this.#admission.enter(count);
    } catch (error) {
      if (count instanceof FunctionEntry) this.#sampler.throttled(count.fn);
      throw error;
    }
  }

  #leave(count: CallCount): void {
    this.#admission.leave(count);
    if (this.#admission.calls === 0) this.#onQuiet();
  }

  /** Counts as a call while it waits, and is none. */
  async #warm({ project, name }: FunctionKey): Promise<WarmResult> {
    const entry = this.#table.get(project, name);
    if (entry === null)
      throw new IsolaError("not_found", `function ${name} is not deployed on this gateway`);
    this.#admit(entry);
    try {
      return await warmUp(this.#table.poolOf(entry));
    } finally {
      this.#leave(entry);
    }
  }

  /** As the control plane chooses it. */
  #defaultDriver(): string {
    const { defaultDriver } = this.#config;
    if (defaultDriver !== "auto") return defaultDriver;
    return preferredDrivers.find((name) => this.#machine.drivers.has(name)) ?? "process";
  }

  #makePools(bootId: string, onProblem: (message: string) => void): Pools {
    const { memoryBudgetMiB, queueLengthMax, blankNodejs, blankPython, data } = this.#config;
    const { blankQuietMs } = this.#config;
    const code = new CodeCache(join(data, "artifacts"));
    return new Pools({
      bootId,
      clock: systemClock,
      drivers: this.#machine.drivers,
      defaultDriver: this.#defaultDriver(),
      runtimes: this.#machine.runtimes,
      memoryBudgetMiB,
      startsAtOnceMax: availableParallelism() * STARTS_PER_CORE,
      queueLengthMax,
      blankQuietMs,
      blanks: { nodejs: blankNodejs, python: blankPython },
      code: (digest, bytes) => code.read(digest, bytes),
      watch: this.#machine.keeping.watch,
      news: this.#events,
      events: {
        onLog: (sandbox, line) => this.#hears(sandbox).onLog(sandbox, line),
        onRaw: (sandbox, stream, bytes) => this.#hears(sandbox).onRaw(sandbox, stream, bytes),
      },
      onProblem,
    });
  }

  #hears(sandbox: PooledSandbox): SandboxLogs | BuildRunner {
    if (this.#builds.owns(sandbox)) return this.#builds;
    return this.#trials.logsOf(sandbox) ?? this.#logs;
  }

  #makeLink(): LinkServer {
    const table = this.#table;
    return new LinkServer(
      {
        reset: ({ functions, isFirst, isLast }) => {
          table.reset(functions, isFirst, isLast);
          return { functions: table.size };
        },
        apply: ({ upserts, removes }) => {
          for (const key of removes) table.remove(key);
          for (const fn of upserts) table.upsert(fn);
          return { functions: table.size };
        },
        invoke: (params) => this.#invoker.invoke(params),
        warm: (key) => this.#warm(key),
        status: () => this.#status(),
        build: (params) => this.#builds.run(params),
        cancelBuild: ({ id }) => {
          this.#builds.cancel(id);
          return null;
        },
        trial: (ask) => this.#trials.answer(ask),
        openDebug: (params) => this.#debugSessions.open(params),
        closeDebug: async ({ id }) => {
          await this.#debugSessions.close(id);
          return null;
        },
      },
      {
        onConnect: () => {
          this.#builds.cancelAll();
          void this.#debugSessions.closeAll();
          this.#trials.close().catch((error: unknown) => this.#onProblem(messageOf(error)));
          this.#records.resend();
        },
        onRecorded: (batch) => this.#records.acknowledged(batch),
        onRefused: (batch) => this.#records.refused(batch),
      },
    );
  }

  #status(): GatewayStatus {
    const { probes, runtimes } = this.#machine;
    return {
      pid: process.pid,
      uptimeMs: systemClock.now() - this.#madeAt,
      functions: this.#table.size,
      runningInvocations: this.#admission.calls,
      memoryBudgetMiB: this.#pools.budget.totalMiB,
      memoryReservedMiB: this.#pools.budget.reservedMiB,
      ...this.#pools.status(),
      drivers: probes,
      runtimes: [...runtimes.values()].map(({ name, family, version }) => ({
        name,
        family,
        version,
      })),
      recordsLost: this.#records.lost,
      logsLost: this.#records.logsLost,
      lateFrames: this.#lateFrames,
    };
  }
}
