import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Clock } from "../domain/clock.ts";
import { type Registry, parseRegistry } from "../domain/registry.ts";
import type { Store } from "../store/store.ts";
import { BuildSockets } from "./build-sockets.ts";
import { Builds } from "./builds.ts";
import { LayerBuilds } from "./layer-builds.ts";
import type { BuildArtifacts, BuildGateway } from "./ports.ts";
import { RegistryRoute } from "./registry-route.ts";
import { upstreamProxy } from "./upstream-proxy.ts";

const BUILDS_AT_ONCE_LEAST = 2;

export interface OpenBuildsOptions {
  config: Pick<
    Config,
    | "buildRegistries"
    | "buildPrivateRegistries"
    | "npmRegistry"
    | "pipIndexUrl"
    | "buildTimeoutMs"
    | "buildMemoryMiB"
  >;
  store: Store;
  artifacts: BuildArtifacts;
  gateway: BuildGateway;
  clock: Clock;
  /** A private folder of the server. */
  workDir: string;
}

/** Builds as the settings want them; what an earlier life left of its own is removed. */
export async function openBuilds(
  options: OpenBuildsOptions,
): Promise<{ service: Builds; close(): void }> {
  const { config, store, artifacts, gateway, clock, workDir } = options;
  const route = new RegistryRoute({
    registries: parsed(config.buildRegistries),
    privateRegistries: parsed(config.buildPrivateRegistries),
    upstream: upstreamProxy(process.env),
  });
  const sockets = new BuildSockets(route, join(workDir, ".."));
  const layers = new LayerBuilds({
    artifacts,
    gateway,
    sockets,
    mirrors: { npmRegistry: config.npmRegistry, pipIndexUrl: config.pipIndexUrl },
    timeoutMs: config.buildTimeoutMs,
    memoryMiB: config.buildMemoryMiB,
    tempDir: workDir,
  });
  await layers.removeLeftovers();
  await store.closeBuilds("the server ended while it ran");
  const service = new Builds({
    store,
    artifacts,
    layers,
    clock,
    atOnceMax: Math.max(BUILDS_AT_ONCE_LEAST, availableParallelism()),
  });
  return {
    service,
    close: () => {
      service.close();
      sockets.close();
    },
  };
}

/** The settings have checked them. */
function parsed(texts: readonly string[]): Registry[] {
  return texts.map(parseRegistry).filter((one) => one !== null);
}
