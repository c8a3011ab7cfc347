import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Boot, Config, Role } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { idSource } from "../domain/ids.ts";
import type { Driver, DriverProbe, RuntimeSpec } from "../drivers/driver.ts";
import { guardDriver } from "../drivers/guarded-driver.ts";
import { createProcessDriver } from "../drivers/process/process-driver.ts";
import { findRuntimes } from "../drivers/runtimes.ts";
import { LinkServer } from "../link/server.ts";
import { Pools } from "../pool/pools.ts";
import { ApiInvoker } from "./api-invoke.ts";
import { CodeCache } from "./code-cache.ts";
import { FunctionTable } from "./function-table.ts";
import type { InvocationContext } from "./invocation.ts";
import { Listener } from "./listener.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { SandboxLogs } from "./sandbox-logs.ts";

const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url));
/** Starts at once, per core: beyond it callers rather wait for a sandbox that becomes free. */
const STARTS_PER_CORE = 4;
const SWEEP_EVERY_MS = 60_000;
const RECORDS_DRAIN_MS = 2000;

interface Machine {
  drivers: Map<string, Driver>;
  probes: DriverProbe[];
  runtimes: Map<string, RuntimeSpec>;
}

/** The data plane: drivers, pools, the functions listener, and the gateway's end of the link. */
export async function startGateway(config: Config, boot: Boot): Promise<Role> {
  const { log } = boot;
  const onProblem = (message: string) => log.warn(message);
  const machine = await examine(config, boot);
  const code = new CodeCache(join(config.data, "artifacts"));
  let link: LinkServer | null = null;
  const records = new RecordBuffer(systemClock, (batch) => link?.sendRecords(batch) ?? false);
  const logs = new SandboxLogs({
    clock: systemClock,
    onRecord: (record) => records.addLog(record),
    onStray: (sandbox, text) => log.warn({ sandbox, text }, "output of a blank sandbox"),
  });
  const pools = new Pools({
    bootId: boot.bootId,
    clock: systemClock,
    drivers: machine.drivers,
    runtimes: machine.runtimes,
    memoryBudgetMiB: config.memoryBudgetMiB,
    startsAtOnceMax: availableParallelism() * STARTS_PER_CORE,
    queueLengthMax: config.queueLengthMax,
    blanks: { nodejs: config.blankNodejs, python: config.blankPython },
    code: (digest, bytes) => code.read(digest, bytes),
    events: {
      onLog: (sandbox, line) => logs.onLog(sandbox, line),
      onRaw: (sandbox, stream, bytes) => logs.onRaw(sandbox, stream, bytes),
    },
    onProblem,
  });
  const table = new FunctionTable(pools, onProblem);
  let running = 0;
  let onQuiet: () => void = () => {};
  const context: InvocationContext = {
    clock: systemClock,
    logs,
    onDone: (_invocation, record) => {
      records.addInvocation(record);
      running -= 1;
      if (running === 0) onQuiet();
    },
  };
  const newId = idSource("inv");
  const onStart = () => {
    running += 1;
  };
  const invoker = new ApiInvoker({ table, context, newId, onStart });
  const startedAt = systemClock.now();
  link = new LinkServer(
    {
      reset: ({ functions, isFirst, isLast }) => {
        table.reset(functions, isFirst, isLast);
        return { functions: table.size };
      },
      apply: ({ upserts, removes }) => {
        for (const key of removes) table.remove(key);
        for (const fn of upserts) table.upsert(fn);
        return { functions: table.size };
      },
      invoke: (params) => invoker.invoke(params),
      status: () => ({
        pid: process.pid,
        uptimeMs: systemClock.now() - startedAt,
        functions: table.size,
        runningInvocations: running,
        memoryBudgetMiB: pools.budget.totalMiB,
        memoryReservedMiB: pools.budget.reservedMiB,
        ...pools.status(),
        drivers: machine.probes,
        runtimes: [...machine.runtimes.values()].map(({ name, family, version }) => ({
          name,
          family,
          version,
        })),
        recordsLost: records.lost,
      }),
    },
    {
      onConnect: () => records.resend(),
      onRecorded: (batch) => records.acknowledged(batch),
    },
  );
  const { gatewayHost: host, gatewayPort } = config;
  const listener = new Listener({
    host,
    port: gatewayPort,
    table,
    context,
    newId,
    onStart,
    onProblem,
  });
  const port = await listener.listen();
  await link.listen(boot.gatewaySocketPath);
  pools.start();
  const sweeping = setInterval(() => void sweep(machine, boot), SWEEP_EVERY_MS);
  log.info({ host, port, drivers: [...machine.drivers.keys()] }, "gateway is ready");
  return {
    address: { host, port },
    drain: async () => {
      listener.drain();
      const quiet = new Promise<void>((resolve) => {
        onQuiet = resolve;
        if (running === 0) resolve();
      });
      await Promise.race([quiet, after(config.drainTimeoutMs)]);
      await records.drained(RECORDS_DRAIN_MS);
    },
    close: async () => {
      clearInterval(sweeping);
      listener.close();
      await pools.close();
      await Promise.all([...machine.drivers.values()].map((driver) => driver.close()));
      await records.drained(RECORDS_DRAIN_MS);
      await link?.close();
    },
  };
}

async function examine(config: Config, boot: Boot): Promise<Machine> {
  const { nodeId, bootId, log } = boot;
  const driver = guardDriver(
    createProcessDriver({
      nodeId,
      bootId,
      stateDir: boot.runDir,
      acceptNoIsolation: config.acceptNoIsolation,
      log,
    }),
  );
  const runtimes = await findRuntimes({ root: repositoryRoot, python: config.python });
  const drivers = new Map<string, Driver>([[driver.name, driver]]);
  const probes = await Promise.all([...drivers.values()].map((each) => each.probe()));
  for (const probe of probes) {
    if (probe.isAvailable) continue;
    log.error(
      { driver: probe.name, problems: probe.problems, fixes: probe.fixes },
      "driver cannot run",
    );
    drivers.delete(probe.name);
  }
  const machine = { drivers, probes, runtimes: new Map(runtimes.map((each) => [each.name, each])) };
  await sweep(machine, boot);
  return machine;
}

async function sweep({ drivers }: Machine, { log }: Boot): Promise<void> {
  for (const driver of drivers.values()) {
    const { removed } = await driver.sweep();
    if (removed.length > 0)
      log.warn({ driver: driver.name, removed }, "swept leftovers of an earlier life");
  }
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
