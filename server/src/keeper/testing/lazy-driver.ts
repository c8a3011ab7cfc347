import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../domain/clock.ts";
import type { DriverName } from "../../domain/function.ts";
import type { Driver, SandboxSpec } from "../../drivers/driver.ts";
import { IsolaError } from "../../errors.ts";
import type { KeeperSettings } from "../messages.ts";
import { type SandboxKeeping, openSandboxKeeping } from "../sandbox-keeping.ts";

/** A driver with a keeper of its own, which starts with the first call and ends with `close`. */
export function lazyDriver(
  name: DriverName,
  settings: Omit<KeeperSettings, "bootId" | "streamsPath">,
  bootId: string,
): Driver & { keeping(): Promise<SandboxKeeping> } {
  let opened: Promise<SandboxKeeping> | null = null;
  let isClosed = false;
  const socketDir = mkdtempSync(join(settings.stateDir, "streams-"));
  const keeping = () => {
    if (isClosed) throw new IsolaError("sandbox_start_failed", "the driver is closed");
    opened ??= openSandboxKeeping({
      settings,
      bootId,
      socketDir,
      clock: systemClock,
      onProblem: (problem) => process.stderr.write(`${problem}\n`),
    });
    return opened;
  };
  const driver = async () => (await keeping()).drivers.find((each) => each.name === name) as Driver;
  return {
    name,
    keeping,
    probe: async () => (await driver()).probe(),
    start: async (spec: SandboxSpec, signal: AbortSignal) => (await driver()).start(spec, signal),
    sweep: async () => (await driver()).sweep(),
    async close() {
      isClosed = true;
      await (await opened)?.close();
      rmSync(socketDir, { recursive: true, force: true });
    },
  };
}
