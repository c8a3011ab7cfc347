import { setTimeout as delay } from "node:timers/promises";
import pino, { type Logger } from "pino";
import { type Config, type RoleName, urlOf, withPorts } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { FAIL_POINTS_VARIABLE, armFailPoints } from "../fail-points.ts";
import { Child, type ChildExit } from "./child.ts";
import { type DataFolder, newBootId, openDataFolder } from "./data-folder.ts";
import { endLeftoverRoles, noteRole } from "./leftover-roles.ts";
import { type LogSink, logSink } from "./log-lines.ts";
import { watchStopSignals } from "./stop-signals.ts";

export interface SupervisorOptions {
  /** Script that becomes a role when it is given the role's name. */
  entry: string;
  /** Called once, when both roles take requests. */
  onReady?(urls: ServerUrls): void;
  /** Signals this close after the first are the same wish. */
  repeatMs?: number;
  watch?: Watch;
}

/** How a role that hangs is found. */
export interface Watch {
  pingMs: number;
  /** A role that has not answered for this long is killed and started again. */
  stallMs: Record<RoleName, number>;
}

export interface ServerUrls {
  /** Where callers reach functions: `publicUrl`. */
  functions: string;
  /** The same listener as seen from this machine. */
  gateway: string;
  api: string;
}

const RESTART_PAUSES = { leastMs: 100, mostMs: 5000 };
/** A role that lived this long has shaken off its earlier failures. */
const STABLE_MS = 10_000;
/** Beyond `drainTimeoutMs`, for the role to see its own limit first. */
const DRAIN_SLACK_MS = 5000;
const CLOSE_MS_MAX = 10_000;
/** A role that is not ready yet has promised nothing to anyone. */
const CLOSE_STARTING_MS_MAX = 2000;
const REPEAT_MS = 500;
/** The control plane runs long statements on its event loop, and nothing that callers wait for. */
const WATCH: Watch = { pingMs: 1000, stallMs: { gateway: 15_000, control: 60_000 } };
/** For a role to end what it has started, before it is killed. */
const HARD_STOP_MS = 1000;

/**
 * Runs the server until a signal ends it: `starting -> running -> draining -> stopped`. Resolves with the exit code of the process: 0 after a clean drain, 1 when a role had to
 * be killed, 130 or 143 after a second signal. Rejects with what keeps the server from starting (`data_locked`, `port_taken` ...); a role that dies later
 * is started again, without limit, 100 ms to 5 s after its end.
 */
export async function runSupervisor(config: Config, options: SupervisorOptions): Promise<number> {
  const sink = logSink(process.stderr);
  const log = pino(
    { level: config.logLevel, base: { role: "supervisor" } },
    { write: (line: string) => sink(line.trimEnd()) },
  );
  const warning = armFailPoints(process.env[FAIL_POINTS_VARIABLE]);
  if (warning !== null) log.error(warning);
  const folder = openDataFolder(config.data);
  const signals = watchStopSignals(options.repeatMs ?? REPEAT_MS);
  const { entry, watch = WATCH } = options;
  const server = new Supervised({ config, entry, folder, sink, log, watch });
  try {
    const ended = await endLeftoverRoles(folder.runDir);
    if (ended.length > 0) log.warn({ ended }, "ended what an earlier life left running");
    const started = await Promise.race([server.start(), signals.first.then(() => null)]);
    if (started) {
      announce(folder, started, log);
      log.info(started, "ready");
      options.onReady?.(started);
    }
    const signal = await signals.first;
    const note = "running calls may finish; a second Ctrl-C or SIGTERM ends them at once";
    log.info({ signal, drainTimeoutMs: config.drainTimeoutMs, note }, "draining");
    const exitCode = await Promise.race([server.stop(), signals.second]);
    await server.hardStop();
    log.info({ exitCode }, "stopped");
    return exitCode;
  } finally {
    await server.kill();
    signals.close();
    folder.release();
  }
}

/** The command line can do without: it is told the URL then. */
function announce(folder: DataFolder, { api }: ServerUrls, log: Logger): void {
  try {
    folder.announce(api);
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "the API's URL could not be left in the data folder");
  }
}

interface Parts {
  config: Config;
  entry: string;
  folder: DataFolder;
  sink: LogSink;
  log: Logger;
  watch: Watch;
}

class Supervised {
  #parts: Parts;
  #children = new Map<RoleName, Child>();
  #stopping = new AbortController();
  #isAbandoned = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The gateway first: the control plane tells people its URL. What the roles listen on is kept for all later lives. */
  async start(): Promise<ServerUrls> {
    const gateway = await this.#startRole("gateway").ready;
    this.#usePorts({ gatewayPort: gateway.port });
    this.#stopping.signal.throwIfAborted();
    const control = await this.#startRole("control").ready;
    this.#usePorts({ controlPort: control.port });
    void this.#keepRunning("gateway");
    void this.#keepRunning("control");
    return {
      functions: this.#parts.config.publicUrl,
      gateway: urlOf(this.#parts.config.gatewayHost, gateway.port),
      api: urlOf(this.#parts.config.controlHost, control.port),
    };
  }

  /** The gateway drains and hands over its records before the control plane goes. Resolves with the exit code. */
  async stop(): Promise<number> {
    this.#stopping.abort();
    const { config, log } = this.#parts;
    let exitCode = 0;
    for (const name of ["gateway", "control"] as const) {
      const child = this.#children.get(name);
      if (!child) continue;
      await child.drain(config.drainTimeoutMs + DRAIN_SLACK_MS);
      if (await child.close(child.isReady ? CLOSE_MS_MAX : CLOSE_STARTING_MS_MAX)) continue;
      if (this.#isAbandoned) break;
      log.error({ child: name, pid: child.pid }, "did not close and was killed");
      exitCode = 1;
    }
    return exitCode;
  }

  /** Roles that still live end their sandboxes and themselves, or are killed. */
  async hardStop(): Promise<void> {
    this.#isAbandoned = true;
    for (const name of ["gateway", "control"] as const)
      await this.#children.get(name)?.close(HARD_STOP_MS);
  }

  async kill(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#children.values()].map((child) => child.kill()));
  }

  #usePorts(ports: { gatewayPort?: number; controlPort?: number }): void {
    this.#parts.config = withPorts(this.#parts.config, ports);
  }

  #startRole(name: RoleName, lastExit: ChildExit | null = null): Child {
    const { entry, config, folder, sink, log, watch } = this.#parts;
    const { nodeId, runDir, gatewaySocketPath } = folder;
    const boot = { nodeId, bootId: newBootId(), lastExit, runDir, gatewaySocketPath };
    const isAgain = this.#children.has(name);
    const child = new Child(name, { entry, config, boot, sink, isAgain });
    this.#children.set(name, child);
    if (child.pid !== undefined) noteRole(runDir, name, child.pid);
    child.watch({
      clock: systemClock,
      pingMs: watch.pingMs,
      stallMs: watch.stallMs[name],
      onStall: (silentMs) => this.#onStall(child, silentMs),
    });
    child.ready.then(
      ({ port }) => log.info({ child: name, pid: child.pid, port, bootId: boot.bootId }, "started"),
      (error: unknown) => log.debug({ child: name, reason: messageOf(error) }, "did not start"),
    );
    return child;
  }

  #onStall(child: Child, silentMs: number): void {
    const facts = { child: child.name, pid: child.pid, silentMs: Math.round(silentMs) };
    this.#parts.log.error(facts, "does not answer: its event loop is blocked; killing it");
    void child.kill();
  }

  async #keepRunning(name: RoleName): Promise<void> {
    const pauses = new GrowingPauses(RESTART_PAUSES);
    for (;;) {
      const startedAt = performance.now();
      const exit = await this.#children.get(name)?.exited;
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - startedAt > STABLE_MS) pauses.reset();
      const restartMs = pauses.next();
      this.#parts.log.error({ child: name, ...exit, restartMs }, "ended; starting it again");
      try {
        await delay(restartMs, undefined, { signal: this.#stopping.signal });
      } catch {
        return; // the server stops
      }
      this.#startRole(name, exit ?? null).ready.catch((error: unknown) => {
        this.#parts.log.error({ child: name }, messageOf(error)); // its end starts the next round
      });
    }
  }
}

/** What the process exits with when the server cannot start. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof IsolaError)) return 1;
  if (error.code === "invalid_settings") return 2;
  return error.code === "data_locked" ? 3 : 1;
}
