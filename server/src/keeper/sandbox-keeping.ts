import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import { driverNames } from "../domain/function.ts";
import type { Driver } from "../drivers/driver.ts";
import { guardDriver } from "../drivers/guarded-driver.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import { KeeperLink } from "./keeper-link.ts";
import { KeptDriver } from "./kept-driver.ts";
import type { KeeperSettings } from "./messages.ts";
import { StreamListener } from "./streams.ts";

export interface SandboxKeepingOptions {
  settings: Omit<KeeperSettings, "bootId" | "streamsPath">;
  bootId: string;
  /** A folder that only this user may enter, with a path short enough for a unix socket. */
  socketDir: string;
  clock: Clock;
  onProblem(problem: string): void;
  /** A keeper has ended, and another takes its place. */
  onKeeperLost?(how: string): void;
}

/** Everything that starts and ends sandboxes, as the gateway holds it. */
export interface SandboxKeeping {
  drivers: readonly Driver[];
  watch: DeadlineWatch;
  /** Of the keeper; undefined while there is none. */
  pid(): number | undefined;
  /** Destroys every sandbox and ends the keeper. */
  close(): Promise<void>;
}

export async function openSandboxKeeping(options: SandboxKeepingOptions): Promise<SandboxKeeping> {
  const { settings, bootId, socketDir, clock, onProblem } = options;
  const streams = new StreamListener(join(socketDir, "streams.sock"));
  await streams.listen();
  const keeper = new KeeperLink({
    settings: { ...settings, streamsPath: streams.path },
    bootId,
    onProblem,
    listenFor: (id, stream) => streams.listenFor(id, stream),
    onLost: (how) => {
      options.onKeeperLost?.(how);
      for (const driver of kept) void driver.onKeeperLost();
    },
  });
  const kept = driverNames.map((each) => new KeptDriver(each, keeper, streams));
  const watch = new DeadlineWatch(clock, (message) => keeper.watch(message));
  return {
    drivers: kept.map((driver) => guardDriver(driver)),
    watch,
    pid: () => keeper.pid,
    async close() {
      watch.close();
      await Promise.all(kept.map((driver) => driver.close()));
      await keeper.close();
      streams.close();
    },
  };
}
