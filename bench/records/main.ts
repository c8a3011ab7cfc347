import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Load } from "./load.ts";

const ROUNDS = 3;
const base = { calls: 100_000, perSecond: 20_000, functions: 1, paths: 1, failures: 0 };
const loads: Omit<Load, "isKept">[] = [
  { ...base, name: "one function" },
  { ...base, name: "100 functions, 1000 paths", functions: 100, paths: 1000 },
  { ...base, name: "5 % failures", functions: 10, failures: 5 },
  { ...base, name: "2,000/s", calls: 10_000, perSecond: 2000 },
];

interface Ends {
  gateway: ChildProcess;
  control: ChildProcess;
}

/** Prints what one record costs on its way from the gateway into the store, CPU of both processes apart; the load's own cost is taken off. */
async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "isola-bench-records-"));
  const socketPath = join(dir, "link.sock");
  const storePath = join(dir, "isola.db");
  const gateway = fork(join(import.meta.dirname, "gateway-end.ts"), [socketPath]);
  await once(gateway, "message");
  const control = fork(join(import.meta.dirname, "control-end.ts"), [socketPath, storePath]);
  await once(control, "message");
  try {
    await measure({ gateway, control }, { ...base, name: "warm-up" });
    for (const load of loads) {
      const before = bytesOf(dir);
      const all: Cost[] = [];
      for (let round = 0; round < ROUNDS; round += 1)
        all.push(await measure({ gateway, control }, load));
      const least = (end: "gateway" | "control") => Math.min(...all.map((one) => one[end]));
      const bytes = (bytesOf(dir) - before) / (ROUNDS * load.calls);
      say(
        `${load.name.padEnd(28)} gateway ${us(least("gateway"))}  control ${us(least("control"))}  ` +
          `${bytes.toFixed(0).padStart(4)} bytes  lost ${all.at(-1)?.lost}`,
      );
    }
  } finally {
    gateway.kill();
    control.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Cost {
  gateway: number;
  control: number;
  lost: number;
}

async function measure({ gateway, control }: Ends, load: Omit<Load, "isKept">): Promise<Cost> {
  const idle = await ask(gateway, { ...load, isKept: false });
  const before = await ask(control, "cpu");
  const busy = await ask(gateway, { ...load, isKept: true });
  const after = await ask(control, "cpu");
  return {
    gateway: (busy.cpuMicros - idle.cpuMicros) / load.calls,
    control: (after.cpuMicros - before.cpuMicros) / load.calls,
    lost: busy.lost,
  };
}

async function ask(end: ChildProcess, message: Load | string) {
  end.send(message);
  const [answer] = await once(end, "message");
  return answer as { cpuMicros: number; lost: number };
}

function bytesOf(dir: string): number {
  return statSync(join(dir, "isola-records.db")).size;
}

function us(micros: number): string {
  return `${micros.toFixed(2).padStart(6)} us`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
