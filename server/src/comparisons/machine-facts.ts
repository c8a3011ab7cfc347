import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import type { ComparisonMachine } from "../domain/comparison.ts";
import { MiB } from "../domain/limits.ts";

/** The machine that a comparison is of. */
export function machineFacts(isolaVersion: string): ComparisonMachine {
  return {
    cores: availableParallelism(),
    cpuModel: cpus()[0]?.model.trim() || process.arch,
    memoryMiB: Math.floor(totalmem() / MiB),
    kernel: `${process.platform} ${release()}`,
    versions: { isola: isolaVersion, node: process.versions.node },
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
