import { systemClock } from "../domain/clock.ts";
import type { DriverName } from "../domain/function.ts";
import type { DriverCore, SandboxHandle, StreamEnds } from "../drivers/driver.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { driverCores } from "./driver-cores.ts";
import type {
  FromKeeper,
  KeeperCalls,
  KeeperMethod,
  KeeperSettings,
  ToKeeper,
} from "./messages.ts";
import { Overdue } from "./overdue.ts";
import { StreamAsks } from "./stream-asks.ts";
import { dialler } from "./streams.ts";

/** When the gateway is gone, everything is killed within this time or left to the next life's sweep. */
const ORPHAN_CLOSE_MS = 8000;

type Methods = {
  [K in KeeperMethod]: (
    core: DriverCore,
    params: KeeperCalls[K]["params"],
    signal: AbortSignal,
  ) => Promise<KeeperCalls[K]["result"]>;
};

/**
 * The process that starts and kills sandboxes: `waiting -> keeping -> closing`, then it exits. It does nothing else, so that neither a start holds up a call nor a
 * busy gateway a kill. When the gateway is gone, or runs something and does not answer, it ends the sandboxes by itself; when it is killed, they die
 * with it as far as their driver can see to that, and the next life sweeps the rest.
 */
class Keeper {
  readonly #cores: ReadonlyMap<DriverName, DriverCore>;
  readonly #ends: StreamEnds;
  readonly #asks = new StreamAsks(tell);
  readonly #handles = new Map<string, SandboxHandle>();
  readonly #aborts = new Map<number, AbortController>();
  readonly #overdue: Overdue;
  readonly #methods: Methods;

  constructor(settings: KeeperSettings) {
    this.#ends = {
      dial: dialler(settings.streamsPath),
      listen: (id, stream) => this.#asks.ask(id, stream),
    };
    this.#cores = driverCores(settings, (driver, problem) => say("warn", problem, { driver }));
    this.#overdue = new Overdue({
      clock: systemClock,
      onOverdue: (id) => this.#onOverdue(id),
      onStall: () => this.#onStall(),
    });
    this.#methods = this.#makeMethods();
  }

  onMessage(message: ToKeeper): void {
    if (message.type === "watch") this.#overdue.told(message);
    if (message.type === "listening") this.#asks.answered(message);
    if (message.type === "abort") this.#aborts.get(message.call)?.abort();
    if (message.type === "call") void this.#call(message);
  }

  async close(): Promise<void> {
    this.#overdue.close();
    await Promise.allSettled([...this.#cores.values()].map((core) => core.close()));
  }

  async #call({ call, driver, method, params }: ToKeeper & { type: "call" }): Promise<void> {
    const abort = new AbortController();
    this.#aborts.set(call, abort);
    try {
      const core = this.#cores.get(driver);
      if (core === undefined) throw new IsolaError("driver_unavailable", `no driver ${driver}`);
      const run = this.#methods[method] as Methods[KeeperMethod];
      tell({ type: "answer", call, result: await run(core, params as never, abort.signal) });
    } catch (error) {
      const code = error instanceof IsolaError ? error.code : "sandbox_start_failed";
      tell({ type: "failure", call, code, message: messageOf(error) });
    } finally {
      this.#aborts.delete(call);
    }
  }

  #makeMethods(): Methods {
    return {
      probe: (core) => core.probe(),
      sweep: (core) => core.sweep(),
      start: (core, { spec }, signal) => this.#start(core, spec, signal),
      applyLimits: async (_, { id, limits }) => {
        await this.#handle(id).applyLimits(limits);
        return null;
      },
      usage: (_, { id }) => this.#handle(id).usage(),
      freeze: (_, { id }) => this.#handle(id).freeze(),
      thaw: async (_, { id }) => {
        await this.#handle(id).thaw();
        return null;
      },
      destroy: async (_, { id, reason }) => {
        this.#overdue.forget(id);
        const report = await this.#handle(id).destroy(reason);
        if (report.isConfirmed) this.#handles.delete(id);
        return report;
      },
    };
  }

  async #start(
    core: DriverCore,
    spec: KeeperCalls["start"]["params"]["spec"],
    signal: AbortSignal,
  ): Promise<KeeperCalls["start"]["result"]> {
    const handle = await core.start(spec, this.#ends, signal);
    this.#handles.set(handle.id, handle);
    void handle.exited.then((exit) => tell({ type: "exited", id: handle.id, exit }));
    return { taskRoot: handle.taskRoot, startedFrom: handle.startedFrom ?? "boot" };
  }

  #handle(id: string): SandboxHandle {
    const handle = this.#handles.get(id);
    if (handle === undefined) throw new IsolaError("sandbox_exited", `there is no sandbox ${id}`);
    return handle;
  }

  #onOverdue(id: string): void {
    const handle = this.#handles.get(id);
    if (handle === undefined) return;
    say("warn", "past its deadline and not ended by the gateway: killed", { sandbox: id });
    void handle.destroy("timeout");
  }

  #onStall(): void {
    say("error", "the gateway does not answer while calls run: all sandboxes are killed", {
      sandboxes: this.#handles.size,
    });
    for (const handle of this.#handles.values()) void handle.destroy("timeout");
  }
}

/** The whole life of the process. It obeys the gateway alone: signals, which a terminal sends to the whole group, are left to the supervisor. */
export function runKeeper(): void {
  if (!process.send) {
    process.stderr.write("isola: the keeper is started by the gateway itself: `isola up`\n");
    process.exit(1);
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  let keeper: Keeper | null = null;
  const end = (exitCode: number) => {
    setTimeout(() => process.exit(1), ORPHAN_CLOSE_MS).unref();
    void (keeper?.close() ?? Promise.resolve()).then(() => process.exit(exitCode));
  };
  process.on("message", (message: ToKeeper) => {
    if (message.type === "begin") keeper ??= new Keeper(message.settings);
    else if (message.type === "ping") tell({ type: "pong" });
    else if (message.type === "close") end(0);
    else keeper?.onMessage(message);
  });
  process.on("disconnect", () => end(1));
}

/** A message that finds the channel closed needs no answer: `disconnect` follows. */
function tell(message: FromKeeper): void {
  if (process.connected) process.send?.(message, () => {});
}

const levels = { warn: 40, error: 50 } as const;

/** A log line in the form of the other processes'; it reaches the supervisor through the gateway's stderr, also when the gateway does not run. */
function say(level: keyof typeof levels, msg: string, fields: object): void {
  const line = { level: levels[level], time: Date.now(), role: "keeper", ...fields, msg };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
