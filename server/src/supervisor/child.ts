import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Boot, Config, Role, RoleName } from "../config.ts";
import { Watchdog, type WatchdogOptions } from "../domain/watchdog.ts";
import { IsolaError } from "../errors.ts";
import { FAIL_POINTS_VARIABLE } from "../fail-points.ts";
import { type LogSink, asLogLine, forEachLine } from "./log-lines.ts";
import type { FromRole, ToRole } from "./messages.ts";

export interface ChildOptions {
  /** Script that is forked with the name of the role as its only argument. */
  entry: string;
  config: Config;
  boot: Omit<Boot, "log">;
  sink: LogSink;
  /** Whether the role is started again after an earlier life: what was armed to make that one fail is not armed again. */
  isAgain: boolean;
}

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const START_MS_MAX = 60_000;
const LAST_WORDS_MS = 500;

/** One life of one role's process: `starting -> ready -> exited`; a role that fails to start goes from `starting` to `exited`. */
export class Child {
  readonly name: RoleName;
  readonly pid: number | undefined;
  /** Rejects with what the role reported; then the process has gone or been killed. */
  readonly ready: Promise<Role["address"]>;
  readonly exited: Promise<ChildExit>;
  isReady = false;
  #process: ChildProcess;
  #drained = Promise.withResolvers<void>();
  #watchdog: Watchdog | null = null;
  #isClosing = false;

  constructor(name: RoleName, { entry, config, boot, sink, isAgain }: ChildOptions) {
    this.name = name;
    // A session of its own: a Ctrl-C in the terminal must not reach the role's sandboxes before they have drained.
    this.#process = fork(entry, [name], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
      env: isAgain ? withoutFailPoints(process.env) : process.env,
    });
    this.pid = this.#process.pid;
    this.exited = this.#watchExit();
    this.ready = this.#watchStart();
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (!stream) continue;
      forEachLine(stream, (line) => {
        const logLine = asLogLine(line, name);
        if (logLine !== null) sink(logLine);
      });
    }
    this.#tell({ type: "start", config, boot });
  }

  /** Asks the role, once it is ready, whether its event loop turns, until it closes. */
  watch(options: Omit<WatchdogOptions, "ping">): void {
    this.ready.then(
      () => {
        if (this.#isClosing) return;
        this.#watchdog = new Watchdog({ ...options, ping: () => this.#tell({ type: "ping" }) });
      },
      () => {
        // It never was ready; its end is told.
      },
    );
  }

  /** Resolves true when the role has drained, false when it never was ready, has gone, or `boundMs` has passed. */
  async drain(boundMs: number): Promise<boolean> {
    if (!this.isReady) return false;
    this.#tell({ type: "drain" });
    const drained = this.#drained.promise.then(() => true);
    return (await within(Promise.race([drained, this.exited]), boundMs)) === true;
  }

  /** Resolves true when the process ended by itself within `boundMs`, false when it had to be killed. */
  async close(boundMs: number): Promise<boolean> {
    this.#isClosing = true;
    this.#watchdog?.close();
    this.#tell({ type: "close" });
    const exit = await within(this.exited, boundMs);
    if (exit) return exit.signal === null;
    await this.kill();
    return false;
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  #tell(message: ToRole): void {
    // A process that has gone answers nothing; `exited` tells.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** Its last words, on the channel and on stderr, come before its end is told, unless something else holds its stderr open. */
  #watchExit(): Promise<ChildExit> {
    const { promise, resolve } = Promise.withResolvers<ChildExit>();
    const child = this.#process;
    child.on("error", () => resolve({ code: null, signal: null })); // could not be spawned
    child.on("exit", (code, signal) => {
      this.#isClosing = true;
      this.#watchdog?.close();
      const closed = once(child, "close");
      const disconnected = child.connected ? once(child, "disconnect") : null;
      void within(Promise.all([closed, disconnected]), LAST_WORDS_MS).then(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ code, signal });
      });
    });
    return promise;
  }

  #watchStart(): Promise<Role["address"]> {
    const { promise, resolve, reject } = Promise.withResolvers<Role["address"]>();
    const fail = (message: string) => reject(new IsolaError("internal_error", message));
    const timer = setTimeout(() => {
      fail(`the ${this.name} was not ready within ${START_MS_MAX} ms`);
      this.#process.kill("SIGKILL");
    }, START_MS_MAX);
    this.#process.on("message", (message: FromRole) => {
      this.#watchdog?.heard();
      if (message.type === "ready") {
        this.isReady = true;
        resolve(message.address);
      }
      if (message.type === "failed") reject(new IsolaError(message.code, message.message));
      if (message.type === "drained") this.#drained.resolve();
    });
    void this.exited.then(({ code, signal }) =>
      fail(`the ${this.name} ended before it was ready (${signal ?? `exit code ${code}`})`),
    );
    promise.catch(() => {}).finally(() => clearTimeout(timer));
    return promise;
  }
}

function withoutFailPoints(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [FAIL_POINTS_VARIABLE]: "" };
}

/** The value of a promise that never rejects, or null after `boundMs`. */
async function within<T>(promise: Promise<T>, boundMs: number): Promise<T | null> {
  const { promise: timeout, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, boundMs, null);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
