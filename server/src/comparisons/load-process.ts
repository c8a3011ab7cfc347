import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { IsolaError } from "../errors.ts";
import type { FromLoad, LoadJob, LoadResult, ToLoad } from "./load-job.ts";

const entry = fileURLToPath(new URL("load.ts", import.meta.url));

/** The function, or what runs it, does not answer as it should: its driver is left out, and the comparison goes on. */
export class LoadFailure extends Error {
  override readonly name = "LoadFailure";
}

/** The process of `load.ts`, as the control plane holds it: `open -> closed`. An abort of `signal` ends the job under way with `cancelled`. */
export class LoadProcess {
  readonly #child: ChildProcess = fork(entry, [], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#child.on("error", () => {}); // `exit` follows, or has been
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** `between` runs after the warm-up, while nothing is under way. Rejects with `LoadFailure`, also after `limitMs` without an end. */
  async run(job: LoadJob, limitMs: number, between: () => Promise<void> = async () => {}) {
    this.#tell({ type: "run", job });
    await this.#next("warm", limitMs);
    await between();
    this.#tell({ type: "go" });
    const { result } = await this.#next("done", limitMs);
    return result satisfies LoadResult;
  }

  /** Resolves when it has ended. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #tell(message: ToLoad): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  async #next<T extends FromLoad["type"]>(type: T, limitMs: number) {
    const settled = new AbortController();
    const tooLong = AbortSignal.timeout(limitMs);
    const signal = AbortSignal.any([settled.signal, tooLong, this.#signal]);
    const ended = once(this.#child, "exit", { signal }).then(() => {
      throw new LoadFailure("the process that makes the load ended");
    });
    const told = once(this.#child, "message", { signal });
    ended.catch(() => {}); // the one that lost
    try {
      const [message] = (await Promise.race([told, ended])) as [FromLoad];
      if (message.type === "failed") throw new LoadFailure(message.message);
      if (message.type !== type) throw new LoadFailure(`${message.type} came before ${type}`);
      return message as Extract<FromLoad, { type: T }>;
    } catch (error) {
      if (this.#signal.aborted) throw new IsolaError("cancelled", "the comparison was cancelled");
      if (tooLong.aborted) throw new LoadFailure(`it had not answered after ${limitMs} ms`);
      throw error;
    } finally {
      settled.abort();
    }
  }
}
