import type { Readable } from "node:stream";
import { findSyscallFilter } from "../drivers/process/seccomp.ts";
import { findRuntimes } from "../drivers/runtimes.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../drivers/sandbox-view.ts";
import type { RuntimeSpec } from "../drivers/driver.ts";
import { IsolaError } from "../errors.ts";
import { GuestImages, type ListedPart } from "../images/guest/guest-images.ts";
import type { ImageEvent } from "@isola/api/images";
import { eventLines } from "./event-lines.ts";
import type { Log } from "./ports.ts";

export interface GuestSettings {
  /** The folder that holds `runtimes/` and `images/`. */
  root: string;
  python: string | null;
  /** `vm/` of the data folder. */
  folder: string;
  /** As of `GuestImagesOptions`. */
  kernel: string | null;
  kernelSource: string | null;
}

interface BuildAsked {
  /** Name of a runtime; null: all of them. */
  runtime: string | null;
  isFresh: boolean;
  /** A kernel is built here before the rest is made. */
  withKernel: boolean;
  requestId: string;
}

/** The guests of microVMs, looked after in this process, where a build holds up no call. */
export class GuestWork {
  readonly #settings: GuestSettings;
  readonly #log: Log;
  #images: GuestImages | null = null;
  #runtimes: Promise<RuntimeSpec[]> | null = null;

  constructor(settings: GuestSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  async list(): Promise<ListedPart[]> {
    return await this.#opened().list(await this.#found());
  }

  /** Guests have the distribution's again; a build under way ends. */
  async removeKernels(): Promise<string[]> {
    return await this.#opened().removeKernels();
  }

  async prune(): Promise<string[]> {
    return await this.#opened().prune(await this.#found());
  }

  /** Makes what is missing, as lines of JSON. Rejects before the first of them where nothing can be made here. */
  async build({ runtime, isFresh, withKernel, requestId }: BuildAsked): Promise<Readable> {
    const images = this.#opened();
    const runtimes = (await this.#found()).filter(
      ({ name }) => runtime === null || name === runtime,
    );
    return eventLines(this.#log, requestId, async (tell, gone) => {
      if (withKernel) await buildKernel(images, tell, { isFresh, gone });
      // The kernel is one for all: made anew once.
      for (const [turn, each] of runtimes.entries()) {
        const { name } = each;
        const before = new Set((await images.list([each])).map((part) => part.name));
        const onProgress = (text: string) => tell({ type: "progress", runtime: name, text });
        const { digest, rootName } = await images.ensure(each, onProgress, {
          isFresh: isFresh && turn === 0 && !withKernel,
        });
        tell({
          type: "image",
          runtime: name,
          reference: rootName,
          id: `sha256:${digest}`,
          wasBuilt: !before.has(rootName),
        });
      }
    });
  }

  close(): void {
    this.#images?.close();
  }

  #opened(): GuestImages {
    const { program } = findSyscallFilter();
    if (program === null)
      throw new IsolaError(
        "driver_unavailable",
        `there is no filter of system calls for ${process.arch}, without which no microVM is started`,
      );
    const view = { platform: INSIDE, taskBytes: TASK_BYTES, shmBytes: SHM_BYTES, filter: program };
    const { folder, kernel, kernelSource } = this.#settings;
    this.#images ??= new GuestImages({ folder, kernel, kernelSource, view });
    return this.#images;
  }

  #found(): Promise<RuntimeSpec[]> {
    this.#runtimes ??= findRuntimes(this.#settings);
    return this.#runtimes;
  }
}

/** It takes minutes of the processor and serves who asked for it: with the caller it ends. */
async function buildKernel(
  images: GuestImages,
  tell: (event: ImageEvent) => void,
  { isFresh, gone }: { isFresh: boolean; gone: AbortSignal },
): Promise<void> {
  const runtime = "kernel";
  const onProgress = (text: string) => tell({ type: "progress", runtime, text });
  const { name, digest, wasBuilt } = await images.buildKernel(onProgress, gone, { isFresh });
  tell({ type: "image", runtime, reference: name, id: `sha256:${digest}`, wasBuilt });
}
