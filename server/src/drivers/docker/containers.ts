import type Dockerode from "dockerode";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Engine, askEngine, openEngine } from "../../images/engine.ts";
import type { EngineRuntime } from "./flavour.ts";
import { hijack } from "./hijack.ts";

/** Of calls that only look. */
export const LOOK_MS = 5000;
/** Of calls that make, start or end something: an engine under load does about ten containers in a second. */
export const WORK_MS = 20_000;

/** What the engine says of itself, as far as it matters here. */
export interface EngineFacts {
  version: string;
  apiVersion: string;
  /** `1` or `2`. */
  cgroupVersion: string;
  cgroupDriver: string;
  /** `name=seccomp,profile=default`, `name=rootless` ... */
  securityOptions: string[];
  /** Limits that its kernel can put in force. */
  hasMemoryLimit: boolean;
  hasPidsLimit: boolean;
  storageDriver: string;
  /** By name. */
  runtimes: ReadonlyMap<string, EngineRuntime>;
}

/** A container as a list of the engine shows it. */
export interface ListedContainer {
  id: string;
  labels: Record<string, string>;
  isRunning: boolean;
}

/** Containers of one Docker Engine. Every call has a deadline, and rejects with `driver_unavailable` where it fails. */
export class Containers {
  readonly host: string;
  #engine: Promise<Engine> | null = null;

  /** `host`: as `DOCKER_HOST`. */
  constructor(host: string) {
    this.host = host;
  }

  /** The engine runs on this machine and sees its files: unix sockets can be mounted into its containers, which else are reached by the engine's attach. */
  get isLocal(): boolean {
    return this.host.startsWith("/") || this.host.startsWith("unix://");
  }

  engine(): Promise<Engine> {
    this.#engine ??= openEngine(this.host);
    return this.#engine;
  }

  async facts(): Promise<EngineFacts> {
    const info = await this.#ask("tell of itself", LOOK_MS, (docker) => docker.info());
    const version = await this.#ask("tell its version", LOOK_MS, (docker) => docker.version());
    return {
      version: version.Version,
      apiVersion: version.ApiVersion,
      cgroupVersion: String(info.CgroupVersion ?? "1"),
      cgroupDriver: info.CgroupDriver,
      securityOptions: info.SecurityOptions ?? [],
      hasMemoryLimit: info.MemoryLimit === true,
      hasPidsLimit: info.PidsLimit === true,
      storageDriver: info.Driver,
      runtimes: runtimesOf(info),
    };
  }

  /** Resolves with the id. */
  async create(name: string, options: Dockerode.ContainerCreateOptions): Promise<string> {
    const { id } = await this.#ask(`create the container ${name}`, WORK_MS, (docker, abortSignal) =>
      docker.createContainer({ ...options, name, abortSignal }),
    );
    return id;
  }

  /** Streams of the container in one connection, as long as it lives: `output.ts` takes apart what it writes, what it reads is sent as it is. */
  async attach(id: string, streams: readonly ("stdin" | "stdout" | "stderr")[]): Promise<Socket> {
    const { address } = await this.engine();
    const path = `/containers/${id}/attach?stream=1${streams.map((name) => `&${name}=1`).join("")}`;
    return await this.#ask("attach to a container", LOOK_MS, async (_, signal) =>
      unlessLate(await hijack(address, path, signal), signal),
    );
  }

  async start(id: string): Promise<void> {
    await this.#ask("start a container", WORK_MS, (docker, abortSignal) =>
      docker.getContainer(id).start({ abortSignal }),
    );
  }

  /** null: there is no such container. */
  async inspect(id: string): Promise<Dockerode.ContainerInspectInfo | null> {
    return await this.#ask("show a container", LOOK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).inspect({ abortSignal })),
    );
  }

  /** SIGKILL; one that has ended or is not there is fine. */
  async kill(id: string): Promise<void> {
    await this.#ask("kill a container", LOOK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).kill({ signal: "SIGKILL", abortSignal }), 409),
    );
  }

  async pause(id: string): Promise<void> {
    await this.#ask("pause a container", LOOK_MS, (docker, abortSignal) =>
      docker.getContainer(id).pause({ abortSignal }),
    );
  }

  /** One that is not paused, or not there, is fine. */
  async unpause(id: string): Promise<void> {
    try {
      await this.#ask("go on with a container", LOOK_MS, (docker, abortSignal) =>
        unlessMissing(docker.getContainer(id).unpause({ abortSignal }), 409),
      );
    } catch (error) {
      // Some versions say 500 of one that is not paused.
      if ((await this.inspect(id))?.State.Paused === true) throw error;
    }
  }

  async update(id: string, limits: { memoryBytes: number; pidsMax: number }): Promise<void> {
    const { memoryBytes, pidsMax } = limits;
    await this.#ask("set the limits of a container", LOOK_MS, (docker, abortSignal) =>
      docker.getContainer(id).update({
        ...{ Memory: memoryBytes, MemorySwap: memoryBytes, PidsLimit: pidsMax, abortSignal },
      }),
    );
  }

  /** With its volumes, running or not; one that is not there, or is being removed, is fine. */
  async remove(id: string): Promise<void> {
    await this.#ask("remove a container", WORK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).remove({ force: true, v: true, abortSignal }), 409),
    );
  }

  /** All that have the labels, running or not. */
  async list(labels: string[]): Promise<ListedContainer[]> {
    const filters = JSON.stringify({ label: labels });
    const found = await this.#ask("list containers", LOOK_MS, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    return found.map((each) => ({
      id: each.Id,
      labels: each.Labels,
      isRunning: each.State === "running" || each.State === "paused",
    }));
  }

  /** Memory, processor and processes of a running container, null where the engine does not say. */
  async stats(id: string): Promise<Dockerode.ContainerStats> {
    return await this.#ask("tell what a container uses", LOOK_MS, (docker) =>
      docker.getContainer(id).stats({ stream: false, "one-shot": true }),
    );
  }

  /** What happens to containers with the labels from now on, one JSON text per line, until the stream is destroyed or the engine goes. */
  async events(all: string[]): Promise<NodeJS.ReadableStream & { destroy(): void }> {
    const filters = JSON.stringify({ type: ["container"], label: all });
    const stream = await this.#ask("tell its events", LOOK_MS, async (docker, signal) =>
      unlessLate((await docker.getEvents({ filters })) as Duplex, signal),
    );
    return stream as NodeJS.ReadableStream & { destroy(): void };
  }

  /** A bridge whose members do not see each other; one of this name that is there is fine. */
  async ensureNetwork(name: string, networkLabels: Record<string, string>): Promise<void> {
    await this.#ask("make a network", WORK_MS, async (docker) => {
      const found = await docker.listNetworks({ filters: { name: [`^${name}$`] } });
      if (found.length > 0) return;
      await docker.createNetwork({
        ...{ Name: name, Driver: "bridge", CheckDuplicate: true, Labels: networkLabels },
        Options: { "com.docker.network.bridge.enable_icc": "false" },
      });
    });
  }

  /** Those with the label that `mayGo` and no container is in. Resolves with their names. */
  async removeNetworks(label: string, mayGo: (name: string) => boolean): Promise<string[]> {
    return await this.#ask("remove networks", WORK_MS, async (docker) => {
      const removed: string[] = [];
      for (const { Id, Name } of await docker.listNetworks({ filters: { label: [label] } })) {
        if (!mayGo(Name)) continue;
        // 403: in use.
        if ((await unlessMissing(docker.getNetwork(Id).remove(), 403)) === null) continue;
        removed.push(Name);
      }
      return removed;
    });
  }

  async #ask<T>(
    what: string,
    deadlineMs: number,
    ask: (docker: Dockerode, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await askEngine(await this.engine(), what, ask, { deadlineMs });
  }
}

/** A map: their names are the operator's. */
function runtimesOf(info: Record<string, unknown>): EngineFacts["runtimes"] {
  const told = Object.entries((info.Runtimes ?? {}) as Record<string, Record<string, unknown>>);
  return new Map(
    told.map(([name, { path, runtimeArgs, runtimeType }]) => [
      name,
      {
        path: typeof path === "string" && path.startsWith("/") ? path : null,
        args: (runtimeArgs ?? []) as string[],
        type: typeof runtimeType === "string" ? runtimeType : "",
      },
    ]),
  );
}

/** A stream that comes when nobody waits for it any more would stay open for ever. */
function unlessLate<T extends { destroy(): unknown }>(stream: T, signal: AbortSignal): T {
  if (signal.aborted) stream.destroy();
  return stream;
}

/** null where the engine answers 404, or with one of the `fine` states. */
async function unlessMissing<T>(call: Promise<T>, ...fine: number[]): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    const { statusCode = 0 } = error as { statusCode?: number };
    if (statusCode === 404 || fine.includes(statusCode)) return null;
    throw error;
  }
}
