import { systemClock } from "../../server/src/domain/clock.ts";
import { Recorder } from "../../server/src/control/recorder.ts";
import { LinkClient } from "../../server/src/link/client.ts";
import { openSqliteStore } from "../../server/src/store/sqlite/open-sqlite-store.ts";

/** The control plane's end in a process of its own: stores what comes. Answers each message with the CPU it took so far. */
const [socketPath = "", storePath = ""] = process.argv.slice(2);
const store = await openSqliteStore({ path: storePath });
const log = { info: say, warn: say, error: say };
const recorder = new Recorder({ store, clock: systemClock, log: log as never });
const client = new LinkClient({
  path: socketPath,
  snapshot: async () => [],
  onRecords: (records) => recorder.record(records),
  onProblem: say,
});

function say(...words: unknown[]): void {
  process.stderr.write(`${words.map(String).join(" ")}\n`);
}

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system });
});
await client.connected(10_000);
process.send?.("ready");
