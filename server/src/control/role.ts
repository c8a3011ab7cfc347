import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openArtifactStore } from "../artifacts/artifact-store.ts";
import { ensureAdminKey } from "../auth/admin-key.ts";
import { type Boot, type Config, type Role, serverVersion } from "../config.ts";
import { Comparisons } from "../comparisons/comparisons.ts";
import { Costs, machineModel } from "../cost/costs.ts";
import { ownPriceList, readPriceList } from "../cost/price-list.ts";
import { openBuilds } from "../builds/open-builds.ts";
import { MiB } from "../domain/limits.ts";
import { systemClock as clock } from "../domain/clock.ts";
import type { DriverName } from "../domain/function.ts";
import { type PlatformEvent, eventOf } from "../domain/events.ts";
import { messageOf } from "../errors.ts";
import { LinkClient, type LinkClientOptions } from "../link/client.ts";
import { DAY, HOUR } from "../metrics/resolutions.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import { otlpSender } from "../traces/otlp-sender.ts";
import { TraceExport, type TraceExportOptions } from "../traces/trace-export.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import type { StoredRecords } from "../store/store.ts";
import { createControlApp } from "./app.ts";
import { codeStore } from "./code-store.ts";
import { collectLeftovers } from "./collect-leftovers.ts";
import { DebugWork } from "./debug-work.ts";
import { EventLog } from "./event-log.ts";
import { GuestWork } from "./guest-work.ts";
import { ImageWork } from "./image-work.ts";
import { Janitor } from "./janitor.ts";
import { LiveTails } from "./live-tails.ts";
import { ExpositionListener } from "./exposition-listener.ts";
import { MetricsExport } from "./metrics-export.ts";
import { MetricsCounter } from "./metrics-counter.ts";
import type { Log } from "./ports.ts";
import { Recorder } from "./recorder.ts";

const HOUR_MS = 3_600_000;
/** Built by the set-up; without it there is the API alone. */
const CONSOLE_DIR = fileURLToPath(new URL("../../../console/dist", import.meta.url));
/** A start is told as ready once the gateway knows every function, or after this. */
const GATEWAY_WAIT_MS = 10_000;
/** Code that was uploaded this recently may belong to a deploy under way. */
const GARBAGE_AGE_MS = HOUR_MS;

/** The control plane as a role of the server: store, artifacts, the API, and its end of the link. */
export async function startControl(config: Config, boot: Boot): Promise<Role> {
  const { log } = boot;
  const list = readPriceList(config.costPriceList ?? ownPriceList);
  const store = await openSqliteStore({ path: join(config.data, "isola.db") });
  const artifacts = await openArtifactStore(join(config.data, "artifacts"));
  await collectLeftovers({ store, artifacts, tempDir: boot.runDir, log });
  const made = await ensureAdminKey(store, config.data, clock);
  if (made !== null) log.info({ path: made.path }, "made an admin key");
  const workDir = join(boot.runDir, "builds");
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const tails = new LiveTails({ store, clock });
  let traces: TraceExport | null = null;
  const onStored = (stored: StoredRecords, batch: RecordBatch) => {
    metricsExport.add(batch);
    tails.publish(stored);
    if (batch.invocations !== null) traces?.take(batch.invocations);
  };
  const recorder = new Recorder({ store, clock, log, onStored });
  const events = new EventLog({ record: (batch) => recorder.record(batch), clock });
  const version = serverVersion();
  traces = await openTraces(config, { nodeId: boot.nodeId, version, clock, events, log });
  let onBuildOutput: NonNullable<LinkClientOptions["onBuildOutput"]> = () => {};
  const gateway = new LinkClient({
    path: boot.gatewaySocketPath,
    snapshot: () => store.deployedFunctions(),
    onRecords: (records) => recorder.record(records),
    onBuildOutput: (output) => onBuildOutput(output),
    onDebugNews: (told) => debugWork.onNews(told),
    onLost: () => debugWork.onGatewayLost(),
    onProblem: (message) => log.warn(message),
  });
  const debugWork = new DebugWork(gateway);
  const { metricsFunctionsMax: functionsMax } = config;
  const metricsExport = new MetricsExport({ gateway, clock, functionsMax, version });
  const metricsKept = {
    minutesKeptMinutes: config.minuteMetricsKeptHours * HOUR,
    hoursKeptMinutes: config.hourMetricsKeptDays * DAY,
    daysKeptMinutes: config.dayMetricsKeptDays * DAY,
  };
  const builds = await openBuilds({ config, store, artifacts, gateway, clock, workDir });
  onBuildOutput = (output) => builds.service.onOutput(output);
  const packages = codeStore(artifacts, { tempDir: boot.runDir, garbageAgeMs: GARBAGE_AGE_MS });
  const measured = { store, gateway, artifacts: packages, clock, log, version };
  const comparisons = await Comparisons.open(measured);
  const { app, collectGarbage } = await createControlApp({
    store,
    artifacts: packages,
    comparisons,
    costs: new Costs({
      ...{ store, list, clock, model: machineModel(config) },
      recordsKeptHours: config.recordsKeptHours,
    }),
    builds: builds.service,
    gateway,
    events,
    tails,
    metricsExport,
    traces,
    debugWork,
    imageWork: new ImageWork(
      {
        dockerHost: config.dockerHost,
        bases: { nodejs: config.dockerBaseNodejs, python: config.dockerBasePython },
      },
      log,
    ),
    guestWork: new GuestWork(
      {
        root: fileURLToPath(new URL("../../..", import.meta.url)),
        python: config.python,
        folder: join(config.data, "vm"),
        kernel: config.vmKernel,
        kernelSource: config.vmKernelSource,
      },
      log,
    ),
    settings: {
      gatewayUrl: config.publicUrl,
      allowedHosts: [...config.allowedHosts, config.controlHost],
      version,
      timeoutMsMax: config.timeoutMsMax,
      invocationsMax: config.invocationsMax,
      metricsKept,
      defaultDriver: config.defaultDriver as DriverName | "auto",
      consoleDir: CONSOLE_DIR,
      acceptProjectsOnProcess: config.acceptProjectsOnProcess,
      allowsDebugger: config.debugger,
    },
    clock,
    log,
  });
  const janitor = new Janitor({
    store,
    collectGarbage,
    clock,
    log,
    bounds: {
      invocationsMax: config.invocationsKeptMax,
      keptMs: config.recordsKeptHours * HOUR_MS,
      logLinesMax: config.logsKeptMax,
      logBytesMax: config.logsKeptMiB * MiB,
      logKeptMs: config.logsKeptHours * HOUR_MS,
      eventsMax: config.eventsKeptMax,
      layersBytesMax: config.layersKeptMiB * MiB,
      metricsKept,
    },
  });
  const counter = new MetricsCounter({ store, clock, log });
  const { controlHost: host, controlPort } = config;
  await app.listen({ host, port: controlPort });
  const exposition = await openExposition(config, metricsExport);
  janitor.start();
  events.add(startOf(boot));
  counter.start();
  await gateway.connected(GATEWAY_WAIT_MS).catch((error: unknown) => {
    // Deploys and lists work without it, and the link goes on dialling.
    log.warn({ reason: messageOf(error) }, "ready without the gateway");
  });
  const bound = app.addresses()[0];
  const port = typeof bound === "object" ? bound.port : controlPort;
  log.info({ host, port }, "control plane is ready");
  return {
    address: { host, port },
    drain: async () => {
      builds.close();
      await comparisons.close();
      await app.close();
    },
    close: async () => {
      await exposition?.close();
      builds.close();
      await comparisons.close();
      await app.close();
      await janitor.close();
      await counter.close();
      gateway.close();
      await events.close();
      await recorder.close();
      await traces?.close();
      await store.close();
    },
  };
}

/** Null where the settings want none. */
async function openExposition(
  { metricsHost: host, metricsPort: port, allowedHosts }: Config,
  metricsExport: MetricsExport,
): Promise<ExpositionListener | null> {
  if (port === 0) return null;
  return await ExpositionListener.open({
    ...{ host, port, allowedHosts },
    text: () => metricsExport.text(),
  });
}

/** null: nobody wants traces. */
async function openTraces(
  config: Config,
  about: { nodeId: string; version: string; log: Log } & Omit<TraceExportOptions, "sender" | "log">,
): Promise<TraceExport | null> {
  const { tracesEndpoint: endpoint, tracesHeaders: headers, tracesRatio: ratio } = config;
  if (endpoint === null) return null;
  const { tracesServiceName: serviceName } = config;
  const { nodeId, version, ...rest } = about;
  about.log.info({ endpoint, ratio }, "traces of calls go to a collector");
  const sender = await otlpSender({ endpoint, headers, serviceName, version, nodeId });
  return new TraceExport({ sender, ...rest });
}

function startOf({ lastExit }: Boot): PlatformEvent {
  const { pid } = process;
  if (lastExit === null) return eventOf("control_started", clock.wall(), { pid });
  const { code: exitCode, signal } = lastExit;
  return eventOf("control_restarted", clock.wall(), { pid, exitCode, signal });
}
