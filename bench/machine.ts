import { cpus, loadavg, release, totalmem } from "node:os";

/** Where the numbers come from: they mean little anywhere else. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  node: string;
  /** Of the minute before the start; well above 0 means that neighbours took part. */
  loadBefore: number;
}

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadBefore: loadavg()[0] as number,
  };
}
