import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { cpuMicrosBetween, cpuSnapshotOf, endedBetween } from "./cpu.ts";
import type { FromLoad, LoadJob, LoadResult, ToLoad } from "./load.ts";

export interface Measured extends LoadResult {
  /** CPU of the measured tree between the first request and `settleMs` after the last answer. */
  cpuMicros: number;
  /** Processes of the tree that ended meanwhile: their last CPU time may be missing above. */
  endedProcesses: number;
}

/** Whose CPU is measured, as `processTree` finds it. */
interface Watched {
  rootPid: number;
  mark?: string;
  settleMs: number;
}

const answerMsMax = 30_000;

/** The process that makes the load, so that its own work is not that of any process measured. One job at a time. */
export class LoadGenerator {
  #child: ChildProcess = fork(fileURLToPath(new URL("load.ts", import.meta.url)));

  async run(job: LoadJob, measured: Watched): Promise<Measured> {
    const limitMs = job.warmupMs + job.durationMs + answerMsMax;
    this.#tell({ type: "run", job });
    await this.#next("warm", limitMs);
    const before = cpuSnapshotOf(measured.rootPid, measured.mark);
    this.#tell({ type: "go" });
    const { result } = await this.#next("done", limitMs);
    if (measured.settleMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, measured.settleMs));
    }
    const after = cpuSnapshotOf(measured.rootPid, measured.mark);
    const cpuMicros = cpuMicrosBetween(before, after);
    return { ...result, cpuMicros, endedProcesses: endedBetween(before, after) };
  }

  async close(): Promise<void> {
    if (!this.#child.connected) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }

  #tell(message: ToLoad): void {
    this.#child.send(message);
  }

  async #next<T extends FromLoad["type"]>(type: T, limitMs: number) {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(limitMs)]);
    const ended = once(this.#child, "exit", { signal }).then(([code]) => {
      throw new Error(`load: exited with ${code}`);
    });
    const told = once(this.#child, "message", { signal });
    // Takes away the listeners of the one that lost.
    const first = Promise.race([told, ended]).finally(() => settled.abort());
    const [message] = (await first) as [FromLoad];
    if (message.type === "failed") throw new Error(`load: ${message.message}`);
    if (message.type !== type) throw new Error(`load: expected ${type}, got ${message.type}`);
    return message as Extract<FromLoad, { type: T }>;
  }
}
