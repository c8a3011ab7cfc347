import type { Clock } from "../domain/clock.ts";
import type { Layer } from "../domain/function.ts";
import { idSource } from "../domain/ids.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { failPoint } from "../fail-points.ts";
import type { Store } from "../store/store.ts";
import type { BuildRequest, LayerBuilds, PlannedBuild } from "./layer-builds.ts";
import { BuildSlots } from "./build-slots.ts";
import { OutputTail } from "./output-tail.ts";
import type { BuildArtifacts, BuildProgress } from "./ports.ts";

export interface BuildsOptions {
  store: Pick<Store, "getLayer" | "putLayer" | "addBuild" | "endBuild">;
  artifacts: Pick<BuildArtifacts, "has">;
  layers: LayerBuilds;
  clock: Clock;
  /** Builds that run; more wait. */
  atOnceMax: number;
}

/** One run and all who wait for it. */
interface Flight {
  id: string;
  output: OutputTail;
  abort: AbortController;
  waiting: Set<BuildProgress>;
  result: Promise<Layer>;
}

const newId = idSource("bld");

/** Gives each package the layer it needs: one that was made before, one that is being made, or a new one. */
export class Builds {
  readonly #options: BuildsOptions;
  /** By key. */
  readonly #flights = new Map<string, Flight>();
  readonly #slots: BuildSlots;
  #isClosed = false;

  constructor(options: BuildsOptions) {
    this.#options = options;
    this.#slots = new BuildSlots(options.atOnceMax);
  }

  /** Undefined: the package needs none. Rejects with `invalid_package`, `build_failed`, `cancelled`, or what the platform failed in. */
  async layerFor(request: BuildRequest, progress: BuildProgress): Promise<Layer | undefined> {
    const planned = await this.#options.layers.plan(request);
    if (planned === null) return undefined;
    const { store, clock } = this.#options;
    const { project, name: functionName, settings } = request;
    const { runtime, driver } = settings;
    const id = newId();
    const output = new OutputTail();
    const watched: BuildProgress = {
      signal: progress.signal,
      onOutput(lines) {
        output.add(lines);
        progress.onOutput(lines);
      },
    };
    const begun = {
      state: "running",
      isCached: false,
      message: "",
      output: [],
      endedAt: null,
    } as const;
    const where = { project, functionName, runtime, driver };
    await store.addBuild({ id, ...where, ...begun, output: [], startedAt: clock.wall() });
    const end = (state: "ok" | "failed" | "cancelled", message: string, isCached = false) =>
      store.endBuild(id, { state, isCached, message, output: output.lines, endedAt: clock.wall() });
    try {
      const kept = await this.#kept(planned);
      const layer = kept ?? (await this.#made(planned, watched));
      await end("ok", "", kept !== null);
      return layer;
    } catch (error) {
      const isCancelled = error instanceof IsolaError && error.code === "cancelled";
      await end(isCancelled ? "cancelled" : "failed", messageOf(error));
      throw error;
    }
  }

  /** What a sandbox writes, as the gateway passes it on. */
  onOutput({ id, lines }: { id: string; lines: readonly string[] }): void {
    for (const flight of this.#flights.values())
      if (flight.id === id) {
        flight.output.add(lines);
        for (const each of flight.waiting) each.onOutput(lines);
      }
  }

  /** Ends what runs; whoever waits for it gets `shutting_down`. */
  close(): void {
    this.#isClosed = true;
    for (const flight of this.#flights.values()) flight.abort.abort();
  }

  async #kept({ key }: PlannedBuild): Promise<Layer | null> {
    const layer = await this.#options.store.getLayer(key);
    return layer !== null && (await this.#options.artifacts.has(layer.artifact.digest))
      ? layer
      : null;
  }

  async #made(planned: PlannedBuild, progress: BuildProgress): Promise<Layer> {
    if (this.#isClosed) throw stopping();
    const known = this.#flights.get(planned.key);
    const flight = known?.abort.signal.aborted === false ? known : this.#start(planned);
    progress.onOutput(flight.output.lines);
    flight.waiting.add(progress);
    const given = Promise.withResolvers<never>();
    const onAbort = () => given.reject(new IsolaError("cancelled", "the deploy was given up"));
    progress.signal.addEventListener("abort", onAbort, { once: true });
    if (progress.signal.aborted) onAbort();
    try {
      return await Promise.race([flight.result, given.promise]);
    } catch (error) {
      if (!this.#isClosed) throw error;
      throw stopping(error);
    } finally {
      progress.signal.removeEventListener("abort", onAbort);
      flight.waiting.delete(progress);
      if (flight.waiting.size === 0) flight.abort.abort();
    }
  }

  #start(planned: PlannedBuild): Flight {
    const abort = new AbortController();
    const id = newId();
    const output = new OutputTail();
    output.add([`isola: build ${id}`]);
    const flight: Flight = {
      id,
      output,
      abort,
      waiting: new Set(),
      result: this.#run(planned, id, abort.signal),
    };
    this.#flights.set(planned.key, flight);
    const forget = () => {
      if (this.#flights.get(planned.key) === flight) this.#flights.delete(planned.key);
    };
    flight.result.then(forget, forget);
    return flight;
  }

  async #run(planned: PlannedBuild, id: string, signal: AbortSignal): Promise<Layer> {
    const layer = await this.#slots.run(() => planned.run(id, signal), signal);
    await failPoint("build.kept");
    await this.#options.store.putLayer(planned.key, layer);
    return layer;
  }
}

function stopping(cause?: unknown): IsolaError {
  return new IsolaError("shutting_down", "the server is stopping; deploy again", { cause });
}
