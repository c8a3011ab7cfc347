import type { SandboxLimits } from "../driver.ts";
import { type ProcessRow, readProcesses, treeOf } from "./process-table.ts";

const WATCH_EVERY_MS = 500;

export interface Watched {
  pid: number;
  /** null: the kernel limits it, and only tells late that it has killed a part. */
  sampledLimits: SandboxLimits | null;
  wasKilledForMemory(): boolean;
  /** Over its memory limit, or a part was killed for it. */
  onMemory(): void;
  /** More processes than allowed. */
  onProcesses(): void;
}

/**
 * Looks at every sandbox twice a second, where the kernel does not end a whole sandbox by itself: with cgroup v1 for parts that were killed for memory, without
 * cgroups for the sum over the process tree. Sleeps while there is none.
 */
export class LimitWatch {
  readonly #watched = new Set<Watched>();
  readonly #onProblem: (problem: string) => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(onProblem: (problem: string) => void) {
    this.#onProblem = onProblem;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    this.#wake();
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wake(): void {
    if (this.#timer !== null || this.#watched.size === 0) return;
    this.#timer = setTimeout(() => void this.#look(), WATCH_EVERY_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const all = [...this.#watched];
      const isSampling = all.some((each) => each.sampledLimits !== null);
      const rows = isSampling ? await readProcesses() : [];
      for (const each of all) if (this.#watched.has(each)) judge(each, rows);
    } catch (error) {
      this.#onProblem(`sandboxes could not be looked at: ${(error as Error).message}`);
    }
    this.#timer = null;
    this.#wake();
  }
}

function judge(watched: Watched, rows: ProcessRow[]): void {
  const limits = watched.sampledLimits;
  if (limits === null) {
    if (watched.wasKilledForMemory()) watched.onMemory();
    return;
  }
  const tree = treeOf(watched.pid, rows);
  const memoryBytes = tree.reduce((sum, row) => sum + row.memoryBytes, 0);
  if (memoryBytes > limits.memoryBytes) watched.onMemory();
  else if (tree.length > limits.pidsMax) watched.onProcesses();
}
