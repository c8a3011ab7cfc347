import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openArtifactStore } from "../artifacts/artifact-store.ts";
import { ensureAdminKey } from "../auth/admin-key.ts";
import { type Boot, type Config, type Role, serverVersion } from "../config.ts";
import { openBuilds } from "../builds/open-builds.ts";
import { MiB } from "../domain/limits.ts";
import { systemClock as clock } from "../domain/clock.ts";
import type { DriverName } from "../domain/function.ts";
import { messageOf } from "../errors.ts";
import { LinkClient, type LinkClientOptions } from "../link/client.ts";
import { openSqliteStore } from "../store/sqlite/open-sqlite-store.ts";
import { createControlApp } from "./app.ts";
import { codeStore } from "./code-store.ts";
import { collectLeftovers } from "./collect-leftovers.ts";
import { GuestWork } from "./guest-work.ts";
import { ImageWork } from "./image-work.ts";
import { Janitor } from "./janitor.ts";
import { Recorder } from "./recorder.ts";

const HOUR_MS = 3_600_000;
/** A start is told as ready once the gateway knows every function, or after this. */
const GATEWAY_WAIT_MS = 10_000;
/** Code that was uploaded this recently may belong to a deploy under way. */
const GARBAGE_AGE_MS = HOUR_MS;

/** The control plane as a role of the server: store, artifacts, the API, and its end of the link. */
export async function startControl(config: Config, boot: Boot): Promise<Role> {
  const { log } = boot;
  const store = await openSqliteStore({ path: join(config.data, "isola.db") });
  const artifacts = await openArtifactStore(join(config.data, "artifacts"));
  await collectLeftovers({ store, artifacts, tempDir: boot.runDir, log });
  const made = await ensureAdminKey(store, config.data, clock);
  if (made !== null) log.info({ path: made.path }, "made an admin key");
  const workDir = join(boot.runDir, "builds");
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const recorder = new Recorder({ store, clock, log });
  let onBuildOutput: NonNullable<LinkClientOptions["onBuildOutput"]> = () => {};
  const gateway = new LinkClient({
    path: boot.gatewaySocketPath,
    snapshot: () => store.deployedFunctions(),
    onRecords: (records) => recorder.record(records),
    onBuildOutput: (output) => onBuildOutput(output),
    onProblem: (message) => log.warn(message),
  });
  const builds = await openBuilds({ config, store, artifacts, gateway, clock, workDir });
  onBuildOutput = (output) => builds.service.onOutput(output);
  const { app, collectGarbage } = await createControlApp({
    store,
    artifacts: codeStore(artifacts, { tempDir: boot.runDir, garbageAgeMs: GARBAGE_AGE_MS }),
    builds: builds.service,
    gateway,
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
      },
      log,
    ),
    settings: {
      gatewayUrl: config.publicUrl,
      allowedHosts: [...config.allowedHosts, config.controlHost],
      version: serverVersion(),
      timeoutMsMax: config.timeoutMsMax,
      invocationsMax: config.invocationsMax,
      defaultDriver: config.defaultDriver as DriverName | "auto",
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
      logsMax: config.logsKeptMax,
      keptMs: config.recordsKeptHours * HOUR_MS,
      layersBytesMax: config.layersKeptMiB * MiB,
    },
  });
  const { controlHost: host, controlPort } = config;
  await app.listen({ host, port: controlPort });
  janitor.start();
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
      await app.close();
    },
    close: async () => {
      builds.close();
      await app.close();
      await janitor.close();
      gateway.close();
      await recorder.close();
      await store.close();
    },
  };
}
