import type { Readable } from "node:stream";
import type { ImageEvent } from "@isola/api/images";
import { openEngine } from "../images/engine.ts";
import type { ImageRuntime } from "../images/image-inputs.ts";
import { type ChosenBases, RuntimeImages } from "../images/runtime-images.ts";
import { eventLines } from "./event-lines.ts";
import type { Log } from "./ports.ts";

export interface BuildAsked {
  runtimes: readonly ImageRuntime[];
  isOffline: boolean;
  isFresh: boolean;
  requestId: string;
}

/** The images of sandboxes, looked after in this process, where a build holds up no call. The engine is looked for when it is first needed. */
export class ImageWork {
  readonly #open: () => Promise<RuntimeImages>;
  readonly #log: Log;
  #images: Promise<RuntimeImages> | null = null;

  constructor(settings: { dockerHost: string; bases: ChosenBases }, log: Log) {
    const { dockerHost, bases } = settings;
    this.#open = async () => new RuntimeImages({ engine: await openEngine(dockerHost), bases });
    this.#log = log;
  }

  /** Rejects with `driver_unavailable`. */
  async images(): Promise<RuntimeImages> {
    this.#images ??= this.#open();
    try {
      return await this.#images;
    } catch (error) {
      this.#images = null;
      throw error;
    }
  }

  /**
   * Builds what is missing, as lines of JSON. Rejects before the first of them where no engine answers; what fails later is the last line. A build whose caller
   * goes away is finished, as others may wait for it.
   */
  async build(asked: BuildAsked): Promise<Readable> {
    const images = await this.images();
    for (const runtime of asked.runtimes) await images.inputsOf(runtime);
    return eventLines(this.#log, asked.requestId, (tell) => buildAll(images, asked, tell));
  }

  async close(): Promise<void> {
    (await this.#images?.catch(() => null))?.close();
  }
}

async function buildAll(
  images: RuntimeImages,
  { runtimes, isOffline, isFresh }: BuildAsked,
  tell: (event: ImageEvent) => void,
): Promise<void> {
  for (const runtime of runtimes) {
    const { name } = runtime;
    const onProgress = (text: string) => tell({ type: "progress", runtime: name, text });
    if (isOffline) await images.ensureOfflineBase(runtime, onProgress, { isFresh });
    const image = await images.ensure(runtime, onProgress, { isFresh });
    tell({ type: "image", runtime: name, ...image });
  }
}
