import { fileURLToPath } from "node:url";
import { chooseBase, ensureBase, imageId } from "./base-image.ts";
import { buildImage } from "./build-image.ts";
import type { Engine } from "./engine.ts";
import { type OnProgress, type WorkDeadlines, workDeadlines } from "./engine-stream.ts";
import { type ImageInputs, type ImageRuntime, imageInputs } from "./image-inputs.ts";
import { ensureOfflineBase, offlineBase } from "./offline-base.ts";

/** Reference of the base image of each family, where the operator chose one. */
export type ChosenBases = Readonly<Record<ImageRuntime["family"], string | null>>;

export interface RuntimeImagesOptions {
  engine: Engine;
  bases?: ChosenBases;
  deadlines?: WorkDeadlines;
  /** The folder that holds `images/`, `runtimes/` and `protocol/`. */
  root?: string;
}

export interface RuntimeImage {
  /** `sha256:...`: what containers are made of. */
  id: string;
  /** `isola/node:26.10.0-0123456789ab` */
  reference: string;
  /** It was not in the engine before. */
  wasBuilt: boolean;
}

const ownRoot = fileURLToPath(new URL("../../..", import.meta.url));
const noBases: ChosenBases = { nodejs: null, python: null };

/** The images of sandboxes in one engine. Open until `close`, which ends builds under way. */
export class RuntimeImages {
  readonly engine: Engine;
  readonly #bases: ChosenBases;
  readonly #deadlines: WorkDeadlines;
  readonly #root: string;
  readonly #closing = new AbortController();
  /** By reference. */
  readonly #flights = new Map<string, Flight>();

  constructor(options: RuntimeImagesOptions) {
    this.engine = options.engine;
    this.#bases = options.bases ?? noBases;
    this.#deadlines = options.deadlines ?? workDeadlines;
    this.#root = options.root ?? ownRoot;
  }

  /** What the runtime's image is made of now, and so its name. Rejects with `driver_unavailable`. */
  async inputsOf(runtime: ImageRuntime): Promise<ImageInputs> {
    const base = await chooseBase(this.engine, runtime, this.#bases[runtime.family]);
    return imageInputs(this.#root, runtime, base);
  }

  /**
   * The image of the runtime: at once where the engine has it, else it is built, once for all who ask meanwhile. Rejects with `driver_unavailable` that holds
   * the engine's own last lines, and then nothing is left of it.
   */
  async ensure(runtime: ImageRuntime, onProgress: OnProgress = () => {}): Promise<RuntimeImage> {
    const inputs = await this.inputsOf(runtime);
    const { reference } = inputs;
    const id = await imageId(this.engine, reference);
    if (id !== null) return { id, reference, wasBuilt: false };
    return this.#build(inputs, onProgress);
  }

  /**
   * A base for the runtime's image, made of packages of this machine's Debian (`isFresh`: anew, with the newest); from then on `ensure` takes it unless the engine
   * has the public one, or the operator chose another. Resolves with its reference. Rejects with `driver_unavailable`.
   */
  async ensureOfflineBase(
    runtime: ImageRuntime,
    onProgress: OnProgress = () => {},
    { isFresh = false } = {},
  ): Promise<string> {
    const base = offlineBase(this.#root, runtime, process.execPath);
    return ensureOfflineBase(this.engine, base, { ...this.#workOf(onProgress), isFresh });
  }

  close(): void {
    this.#closing.abort();
  }

  async #build(inputs: ImageInputs, onProgress: OnProgress): Promise<RuntimeImage> {
    const { reference } = inputs;
    const flight = this.#flights.get(reference) ?? this.#begin(inputs);
    flight.listeners.add(onProgress);
    try {
      return { id: await flight.id, reference, wasBuilt: true };
    } finally {
      flight.listeners.delete(onProgress);
    }
  }

  #begin(inputs: ImageInputs): Flight {
    const listeners = new Set<OnProgress>();
    const tell = (line: string) => {
      for (const listener of listeners) listener(line);
    };
    const id = this.#work(inputs, tell).finally(() => this.#flights.delete(inputs.reference));
    const flight = { id, listeners };
    this.#flights.set(inputs.reference, flight);
    return flight;
  }

  async #work(inputs: ImageInputs, onProgress: OnProgress): Promise<string> {
    const work = this.#workOf(onProgress);
    await ensureBase(this.engine, inputs.base, work);
    onProgress(`building ${inputs.reference} of ${inputs.base}`);
    await buildImage(this.engine, inputs, work);
    return (await imageId(this.engine, inputs.reference)) as string;
  }

  #workOf(onProgress: OnProgress) {
    return { onProgress, deadlines: this.#deadlines, signal: this.#closing.signal };
  }
}

/** A build under way. */
interface Flight {
  /** Of the image. */
  id: Promise<string>;
  listeners: Set<OnProgress>;
}
