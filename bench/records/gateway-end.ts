import { systemClock } from "../../server/src/domain/clock.ts";
import { idSource } from "../../server/src/domain/ids.ts";
import { RecordBuffer } from "../../server/src/gateway/record-buffer.ts";
import { LinkServer } from "../../server/src/link/server.ts";
import { type Load, recordAt } from "./load.ts";

/** The gateway's end in a process of its own: makes records at a given rate and sends them as the gateway does. Answers each load with the CPU it took. */
const [socketPath = ""] = process.argv.slice(2);
const TICK_MS = 5;
const DRAIN_MS = 60_000;

const refuse = () => {
  throw new Error("not asked here");
};
const records: RecordBuffer = new RecordBuffer(systemClock, (batch) => link.sendRecords(batch));
const link = new LinkServer(
  {
    reset: () => ({ functions: 0 }),
    apply: refuse,
    invoke: refuse,
    warm: refuse,
    status: refuse,
    build: refuse,
    cancelBuild: refuse,
    openDebug: refuse,
    closeDebug: refuse,
    trial: refuse,
  },
  {
    onConnect: () => records.resend(),
    onRecorded: (batch) => records.acknowledged(batch),
    onRefused: (batch) => records.refused(batch),
  },
);
const newId = idSource("inv");

async function run(load: Load): Promise<void> {
  const perTick = (load.perSecond * TICK_MS) / 1000;
  const startedAt = performance.now();
  for (let made = 0, ticks = 1; made < load.calls; ticks += 1) {
    const until = Math.min(load.calls, Math.round(ticks * perTick));
    for (; made < until; made += 1) {
      const record = recordAt(load, made, newId());
      if (load.isKept) records.addInvocation(record);
    }
    const waitMs = startedAt + ticks * TICK_MS - performance.now();
    await new Promise<void>((resolve) => {
      if (waitMs > 0) setTimeout(resolve, waitMs);
      else setImmediate(resolve);
    });
  }
  await records.drained(DRAIN_MS);
}

process.on("message", (load: Load) => {
  const before = process.cpuUsage();
  void run(load).then(() => {
    const { user, system } = process.cpuUsage(before);
    process.send?.({ cpuMicros: user + system, lost: records.lost });
  });
});
await link.listen(socketPath);
process.send?.("ready");
