import type Dockerode from "dockerode";
import type { Duplex } from "node:stream";
import { IsolaError, messageOf } from "../../errors.ts";
import { type EngineAddress, addressOf } from "./engine-address.ts";

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
  /** It warns that no program reaps processes inside (`docker-init` is missing). */
  hasInit: boolean;
  runtimes: string[];
  storageDriver: string;
}

/** A container as a list of the engine shows it. */
export interface ListedContainer {
  id: string;
  labels: Record<string, string>;
  isRunning: boolean;
  /** ms since 1970, in whole seconds. */
  createdAt: number;
}

/**
 * One Docker Engine. Every call has a deadline; a call that fails rejects with an `IsolaError`: `driver_unavailable` where the engine does not answer or lacks what
 * is needed, `sandbox_start_failed` otherwise.
 */
export class Engine {
  readonly address: EngineAddress;
  #docker: Promise<Dockerode> | null = null;

  /** `host`: as `DOCKER_HOST`; null: the socket of the machine's own engine. */
  constructor(host: string | null) {
    this.address = addressOf(host);
  }

  async facts(): Promise<EngineFacts> {
    const info = await this.call("info", LOOK_MS, (docker) => docker.info());
    const version = await this.call("version", LOOK_MS, (docker) => docker.version());
    return {
      version: version.Version,
      apiVersion: version.ApiVersion,
      cgroupVersion: String(info.CgroupVersion ?? "1"),
      cgroupDriver: info.CgroupDriver,
      securityOptions: info.SecurityOptions ?? [],
      hasMemoryLimit: info.MemoryLimit === true,
      hasPidsLimit: info.PidsLimit === true,
      hasInit: (info.InitBinary ?? "") !== "" && info.InitCommit?.ID !== "N/A",
      runtimes: Object.keys(info.Runtimes ?? {}),
      storageDriver: info.Driver,
    };
  }

  /** Resolves with the id. */
  async create(name: string, options: Dockerode.ContainerCreateOptions): Promise<string> {
    const { id } = await this.call(`create ${name}`, WORK_MS, (docker, abortSignal) =>
      docker.createContainer({ ...options, name, abortSignal }),
    );
    return id;
  }

  /** Output of the container, both streams in one, as long as it lives. */
  attach(id: string): Promise<Duplex> {
    // The signal would also end the stream itself, much later.
    return this.call("attach", LOOK_MS, (docker) =>
      docker.getContainer(id).attach({ stream: true, stdout: true, stderr: true, hijack: true }),
    ) as Promise<Duplex>;
  }

  async start(id: string): Promise<void> {
    await this.call("start", WORK_MS, (docker, abortSignal) =>
      docker.getContainer(id).start({ abortSignal }),
    );
  }

  /** null: there is no such container. */
  async inspect(id: string): Promise<Dockerode.ContainerInspectInfo | null> {
    return await this.call("inspect", LOOK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).inspect({ abortSignal })),
    );
  }

  /** SIGKILL; one that has ended or is not there is fine. */
  async kill(id: string): Promise<void> {
    await this.call("kill", LOOK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).kill({ signal: "SIGKILL", abortSignal }), 409),
    );
  }

  async pause(id: string): Promise<void> {
    await this.call("pause", LOOK_MS, (docker, abortSignal) =>
      docker.getContainer(id).pause({ abortSignal }),
    );
  }

  /** One that is not paused is fine. */
  async unpause(id: string): Promise<void> {
    await this.call("unpause", LOOK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).unpause({ abortSignal }), 409, 500),
    );
  }

  async update(id: string, limits: { memoryBytes: number; pidsMax: number }): Promise<void> {
    const { memoryBytes, pidsMax } = limits;
    await this.call("update", LOOK_MS, (docker, abortSignal) =>
      docker.getContainer(id).update({
        ...{ Memory: memoryBytes, MemorySwap: memoryBytes, PidsLimit: pidsMax, abortSignal },
      }),
    );
  }

  /** With its volumes, running or not; one that is not there, or is being removed, is fine. */
  async remove(id: string): Promise<void> {
    await this.call("remove", WORK_MS, (docker, abortSignal) =>
      unlessMissing(docker.getContainer(id).remove({ force: true, v: true, abortSignal }), 409),
    );
  }

  /** All that have the labels, running or not. */
  async list(labels: string[]): Promise<ListedContainer[]> {
    const filters = JSON.stringify({ label: labels });
    const found = await this.call("list", LOOK_MS, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    return found.map((each) => ({
      id: each.Id,
      labels: each.Labels,
      isRunning: each.State === "running" || each.State === "paused",
      createdAt: each.Created * 1000,
    }));
  }

  /** Memory, processor and processes of a running container, null where the engine does not say. */
  async stats(id: string): Promise<Dockerode.ContainerStats> {
    return await this.call("stats", LOOK_MS, (docker) =>
      docker.getContainer(id).stats({ stream: false, "one-shot": true }),
    );
  }

  /** What happens to containers with the label from now on, one JSON text per line, until the stream is destroyed or the engine goes. */
  async events(label: string): Promise<NodeJS.ReadableStream & { destroy(): void }> {
    const filters = JSON.stringify({ type: ["container"], label: [label] });
    const stream = await this.call("events", LOOK_MS, (docker) => docker.getEvents({ filters }));
    return stream as NodeJS.ReadableStream & { destroy(): void };
  }

  /** For calls that have no method of their own. `what` names it in errors. */
  async call<T>(
    what: string,
    ms: number,
    work: (docker: Dockerode, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const docker = await (this.#docker ??= this.#connect());
    const giveUp = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      giveUp.abort();
      late.reject(new IsolaError("sandbox_start_failed", this.#said(what, `no answer in ${ms} ms`)));
    }, ms);
    try {
      return await Promise.race([work(docker, giveUp.signal), late.promise]);
    } catch (error) {
      throw this.#failure(what, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Loaded when it is first needed: most of it is not small. */
  async #connect(): Promise<Dockerode> {
    const { default: Docker } = await import("dockerode");
    return new Docker(this.address.options);
  }

  #failure(what: string, error: unknown): IsolaError {
    if (error instanceof IsolaError) return error;
    const { code = "", statusCode } = error as { code?: string; statusCode?: number };
    const text = this.#said(what, messageOf(error));
    const isAway = ["ENOENT", "ECONNREFUSED", "EACCES", "EPERM", "ENOTFOUND"].includes(code);
    const isUnfit = isAway || (statusCode === 404 && /image/i.test(text));
    return new IsolaError(isUnfit ? "driver_unavailable" : "sandbox_start_failed", text, {
      cause: error,
    });
  }

  #said(what: string, how: string): string {
    return `the Docker Engine at ${this.address.text}: ${what}: ${how}`;
  }
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
