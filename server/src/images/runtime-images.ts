import { fileURLToPath } from "node:url";
import { IsolaError } from "../errors.ts";
import { chooseBase, ensureBase, imageId } from "./base-image.ts";
import { buildImage, removeQuietly } from "./build-image.ts";
import type { Engine } from "./engine.ts";
import { type OnProgress, type WorkDeadlines, workDeadlines } from "./engine-stream.ts";
import {
  type ImageInputs,
  type ImageRuntime,
  type ImagePlace,
  imageInputs,
} from "./image-inputs.ts";
import { type ListedImage, listImages } from "./list-images.ts";
import { ensureOfflineBase, offlineBase } from "./offline-base.ts";
import { type PrunedImages, pruneImages } from "./prune-images.ts";

/** Reference of the base image of each family, where the operator chose one. */
export type ChosenBases = Readonly<Record<ImageRuntime["family"], string | null>>;

export interface RuntimeImagesOptions {
  engine: Engine;
  bases?: ChosenBases;
  deadlines?: WorkDeadlines;
  /** Where Dockerfiles and runtimes are, and how images are named: this checkout, and `isola`. */
  place?: Partial<ImagePlace>;
}

export interface RuntimeImage {
  /** `sha256:...`: what containers are made of. */
  id: string;
  /** `isola/node:26.10.0-0123456789ab` */
  reference: string;
  /** It was not in the engine before. */
  wasBuilt: boolean;
}

const ownPlace: ImagePlace = {
  root: fileURLToPath(new URL("../../..", import.meta.url)),
  repository: "isola",
};
const noBases: ChosenBases = { nodejs: null, python: null };

/** The images of sandboxes in one engine. Open until `close`, which ends builds under way. */
export class RuntimeImages {
  readonly #engine: Engine;
  readonly #bases: ChosenBases;
  readonly #deadlines: WorkDeadlines;
  readonly #place: ImagePlace;
  readonly #closing = new AbortController();
  /** By runtime and base: the files of this checkout are read once in a life. */
  readonly #inputs = new Map<string, ImageInputs>();
  /** By reference. */
  readonly #flights = new Map<string, Flight>();

  constructor(options: RuntimeImagesOptions) {
    this.#engine = options.engine;
    this.#bases = options.bases ?? noBases;
    this.#deadlines = options.deadlines ?? workDeadlines;
    this.#place = { ...ownPlace, ...options.place };
  }

  /** What the runtime's image is made of now, and so its name. Rejects with `driver_unavailable`. */
  async inputsOf(runtime: ImageRuntime): Promise<ImageInputs> {
    const { repository } = this.#place;
    const chosen = this.#bases[runtime.family];
    const base = await chooseBase(this.#engine, runtime, { chosen, repository });
    const key = `${runtime.name} ${runtime.version} ${base}`;
    const inputs = this.#inputs.get(key) ?? imageInputs(this.#place, runtime, base);
    this.#inputs.set(key, inputs);
    return inputs;
  }

  /**
   * The image of the runtime: at once where the engine has it, else it is built, once for all who ask meanwhile. `isFresh`: base and image are made anew in any
   * case. Rejects with `driver_unavailable` that holds the engine's own last lines, and then nothing is left of it.
   */
  async ensure(
    runtime: ImageRuntime,
    onProgress: OnProgress = () => {},
    { isFresh = false } = {},
  ): Promise<RuntimeImage> {
    const inputs = await this.inputsOf(runtime);
    const { reference } = inputs;
    const id = await imageId(this.#engine, reference);
    if (id !== null && !isFresh) return { id, reference, wasBuilt: false };
    const flight = this.#flights.get(reference) ?? this.#begin(inputs, { isFresh, replaced: id });
    flight.listeners.add(onProgress);
    try {
      return { id: await flight.id, reference, wasBuilt: true };
    } finally {
      flight.listeners.delete(onProgress);
    }
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
    const base = await offlineBase(this.#place, runtime, process.execPath);
    return ensureOfflineBase(this.#engine, base, { ...this.#workOf(onProgress), isFresh });
  }

  /** What the engine has of ours, and which of it these runtimes lack. */
  async list(runtimes: readonly ImageRuntime[]): Promise<ListedImage[]> {
    return listImages(this.#engine, this.#place, await this.#inputsOfAll(runtimes));
  }

  /** Removes what these runtimes do not use, but for what containers are made of. */
  async prune(runtimes: readonly ImageRuntime[]): Promise<PrunedImages> {
    return pruneImages(this.#engine, await this.list(runtimes), Date.now());
  }

  close(): void {
    this.#closing.abort();
  }

  async #inputsOfAll(runtimes: readonly ImageRuntime[]): Promise<ImageInputs[]> {
    const all: ImageInputs[] = [];
    for (const runtime of runtimes) all.push(await this.inputsOf(runtime));
    return all;
  }

  #begin(inputs: ImageInputs, anew: Anew): Flight {
    const listeners = new Set<OnProgress>();
    const tell = (line: string) => {
      for (const listener of listeners) listener(line);
    };
    const id = this.#build(inputs, tell, anew).finally(() =>
      this.#flights.delete(inputs.reference),
    );
    const flight = { id, listeners };
    this.#flights.set(inputs.reference, flight);
    return flight;
  }

  async #build(inputs: ImageInputs, onProgress: OnProgress, anew: Anew): Promise<string> {
    const work = this.#workOf(onProgress);
    const isOurs = inputs.base.startsWith(`${this.#place.repository}/`);
    await ensureBase(this.#engine, inputs.base, { ...work, isFresh: anew.isFresh && !isOurs });
    onProgress(`building ${inputs.reference} of ${inputs.base}`);
    await buildImage(this.#engine, inputs, work);
    const id = await imageId(this.#engine, inputs.reference);
    if (id === null)
      throw new IsolaError(
        "driver_unavailable",
        `the build of ${inputs.reference} ended without an image; the log of the Docker Engine at ${this.#engine.host} may say why`,
      );
    if (anew.replaced !== null && anew.replaced !== id)
      await removeQuietly(this.#engine, anew.replaced);
    return id;
  }

  #workOf(onProgress: OnProgress) {
    return { onProgress, deadlines: this.#deadlines, signal: this.#closing.signal };
  }
}

interface Anew {
  isFresh: boolean;
  /** Id of the image that has the name so far. */
  replaced: string | null;
}

/** A build under way. */
interface Flight {
  /** Of the image. */
  id: Promise<string>;
  listeners: Set<OnProgress>;
}
