import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { systemClock } from "../domain/clock.ts";
import type { DriverName } from "../domain/function.ts";
import { GrowingPauses } from "../domain/growing-pauses.ts";
import { Watchdog } from "../domain/watchdog.ts";
import type { SandboxExit, StreamName } from "../drivers/driver.ts";
import { IsolaError, messageOf } from "../errors.ts";
import type {
  FromKeeper,
  KeeperCalls,
  KeeperMethod,
  KeeperSettings,
  ToKeeper,
  Watch,
} from "./messages.ts";

const entry = fileURLToPath(new URL("main.ts", import.meta.url));
const RESTART_PAUSES = { leastMs: 100, mostMs: 5000 };
/** A keeper that lived this long has shaken off its earlier failures. */
const STABLE_MS = 10_000;
const CLOSE_MS_MAX = 8000;
const PING_MS = 1000;
/** While it does not answer nothing is started or killed. */
const STALL_MS = 15_000;

export interface KeeperLinkOptions {
  settings: Omit<KeeperSettings, "bootId">;
  /** Every life of the keeper gets a boot id of its own, so that the next one knows what an earlier one left. */
  bootId: string;
  onProblem(problem: string): void;
  /** A life has ended with everything it kept; the next one is being started. */
  onLost(how: string): void;
  /** Resolves with the path of a unix socket on which the stream is awaited. */
  listenFor(id: string, stream: StreamName): Promise<string>;
  /** A keeper that has not answered for this long is killed; another one takes its place. */
  stallMs?: number;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: IsolaError): void;
}

/** The gateway's end of its keeper: `open -> closed`. A keeper that dies is started again, later and later; calls made meanwhile are answered by the next one. */
export class KeeperLink {
  readonly #options: KeeperLinkOptions;
  readonly #calls = new Map<number, Waiting>();
  readonly #exits = new Map<string, (exit: SandboxExit) => void>();
  #child: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #watchdog: Watchdog | null = null;
  readonly #pauses = new GrowingPauses(RESTART_PAUSES);
  #nextCall = 1;
  #lives = 0;
  #bornAt = 0;
  #unsent: ToKeeper[] = [];
  #isClosed = false;

  constructor(options: KeeperLinkOptions) {
    this.#options = options;
    this.#begin();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Rejects with what the keeper says, or `sandbox_start_failed` when it ends before it has answered. `signal` gives up a start. */
  call<K extends KeeperMethod>(
    driver: DriverName,
    method: K,
    params: KeeperCalls[K]["params"],
    signal?: AbortSignal,
  ): Promise<KeeperCalls[K]["result"]> {
    if (this.#isClosed) return Promise.reject(lost());
    const call = this.#nextCall++;
    const { promise, resolve, reject } = Promise.withResolvers<KeeperCalls[K]["result"]>();
    const onAbort = () => this.#send({ type: "abort", call });
    const settle = (then: () => void) => {
      this.#calls.delete(call);
      signal?.removeEventListener("abort", onAbort);
      then();
    };
    this.#calls.set(call, {
      resolve: (result) => settle(() => resolve(result as KeeperCalls[K]["result"])),
      reject: (error) => settle(() => reject(error)),
    });
    this.#send({ type: "call", call, driver, method, params });
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    return promise;
  }

  watch(watch: Watch): void {
    // What waits for the next life runs nothing.
    if (this.#child !== null) this.#send(watch);
  }

  /** Resolves once, when the sandbox's first process has ended or its keeper has. To be asked for before the start. */
  exitOf(id: string): Promise<SandboxExit> {
    return new Promise((resolve) => this.#exits.set(id, resolve));
  }

  forget(id: string): void {
    this.#exits.delete(id);
  }

  /** Ends the keeper, which ends every sandbox. Resolves when it has gone. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watchdog?.close();
    if (this.#restart !== null) clearTimeout(this.#restart);
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    this.#send({ type: "close" });
    const timer = setTimeout(() => child.kill("SIGKILL"), CLOSE_MS_MAX);
    await exited;
    clearTimeout(timer);
  }

  #begin(): void {
    this.#restart = null;
    this.#bornAt = performance.now();
    const child = fork(entry, [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child = child;
    this.#lives += 1;
    child.on("message", (message: FromKeeper) => this.#onMessage(message));
    child.on("error", (error) => this.#options.onProblem(`the keeper: ${error.message}`));
    child.once("exit", (code, signal) => this.#onExit(child, signal ?? `exit code ${code}`));
    const { settings, bootId } = this.#options;
    this.#send({ type: "begin", settings: { ...settings, bootId: `${bootId}k${this.#lives}` } });
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const message of unsent) this.#send(message);
    this.#watchdog = this.#watchOver(child);
  }

  #watchOver(child: ChildProcess): Watchdog {
    const { stallMs = STALL_MS, onProblem } = this.#options;
    return new Watchdog({
      clock: systemClock,
      pingMs: Math.min(PING_MS, stallMs / 4),
      stallMs,
      ping: () => this.#send({ type: "ping" }),
      onStall: (silentMs) => {
        onProblem(`the keeper has not answered for ${Math.round(silentMs)} ms; killing it`);
        child.kill("SIGKILL");
      },
    });
  }

  #onExit(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#watchdog?.close();
    for (const waiting of [...this.#calls.values()]) waiting.reject(lost());
    for (const exited of this.#exits.values())
      exited({ cause: "exited", exitCode: null, signal: null });
    this.#exits.clear();
    if (this.#isClosed) return;
    if (performance.now() - this.#bornAt > STABLE_MS) this.#pauses.reset();
    const restartMs = this.#pauses.next();
    this.#options.onProblem(`the keeper ended (${how}); starting it again in ${restartMs} ms`);
    this.#restart = setTimeout(() => this.#begin(), restartMs);
    this.#options.onLost(how);
  }

  #onMessage(message: FromKeeper): void {
    this.#watchdog?.heard();
    if (message.type === "pong") return;
    if (message.type === "listen") return void this.#listen(message);
    if (message.type === "exited") {
      const exited = this.#exits.get(message.id);
      this.#exits.delete(message.id);
      return exited?.(message.exit);
    }
    const waiting = this.#calls.get(message.call);
    if (message.type === "answer") waiting?.resolve(message.result);
    else waiting?.reject(new IsolaError(message.code, message.message));
  }

  async #listen({ ask, id, stream }: FromKeeper & { type: "listen" }): Promise<void> {
    const answer = { path: null as string | null, problem: "" };
    try {
      answer.path = await this.#options.listenFor(id, stream);
    } catch (error) {
      answer.problem = messageOf(error);
    }
    // A keeper that has ended meanwhile has no use for it, and the start that it belonged to has failed.
    if (this.#child !== null) this.#send({ type: "listening", ask, ...answer });
  }

  #send(message: ToKeeper): void {
    const child = this.#child;
    if (child === null) this.#unsent.push(message);
    // A keeper that has just gone rejects all calls by its exit.
    else if (child.connected) child.send(message, () => {});
  }
}

function lost(): IsolaError {
  return new IsolaError("sandbox_start_failed", "the keeper of the sandboxes has ended");
}
