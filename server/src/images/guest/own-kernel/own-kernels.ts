import { createHash } from "node:crypto";
import { IsolaError } from "../../../errors.ts";
import type { GuestWork } from "../guest-work.ts";
import type { Part, Parts } from "../parts.ts";
import { buildEnvironment, fillWithBuilt, kernelFragment } from "./build-kernel.ts";
import { findKernelSource } from "./kernel-source.ts";
import { findBuildTools } from "./kernel-tools.ts";

const OWN = "own";

interface OwnKernelsOptions {
  /** The folder that holds `images/`. */
  root: string;
  parts: Parts;
  /** The operator's tar archive or folder; null: the distribution's package. */
  source: string | null;
}

/** Kernels that were built on this machine. Of those with today's configuration the newest is the current one. */
export class OwnKernels {
  readonly #options: OwnKernelsOptions;
  /** One build after the other; they hold up nothing else. */
  #last: Promise<unknown> = Promise.resolve();
  #removing = new AbortController();

  constructor(options: OwnKernelsOptions) {
    this.#options = options;
  }

  async current(): Promise<Part | null> {
    return await this.#options.parts.find("kernel", (inputs) => inputs.startsWith(this.#prefix()));
  }

  /** Resolves with what there is of the same configuration, source and compiler, or else is built now, which takes minutes. Rejects with `driver_unavailable`, or as `work` is ended. */
  build(work: GuestWork, isFresh: boolean): Promise<Part> {
    const removal = this.#removing.signal;
    const signal = AbortSignal.any([work.signal, removal]);
    const built = this.#last.then(async () => {
      try {
        return await this.#build({ ...work, signal }, isFresh);
      } catch (error) {
        if (!removal.aborted || work.signal.aborted) throw error;
        const text = "the build of the kernel was ended by a call that removes such kernels";
        throw new IsolaError("conflict", text, { cause: error });
      }
    });
    this.#last = built.catch(() => {}); // told to who asked for it
    return built;
  }

  /** Ends what is being built. Resolves with the names of the kernels that are gone. */
  async remove(): Promise<string[]> {
    const { parts } = this.#options;
    this.#removing.abort();
    this.#removing = new AbortController();
    await this.#last;
    const own = (await parts.list()).filter(({ inputs }) => inputs.startsWith(`${OWN} `));
    for (const { name } of own) await parts.remove(name);
    return own.map(({ name }) => name);
  }

  async #build(work: GuestWork, isFresh: boolean): Promise<Part> {
    if (work.signal.aborted)
      throw new IsolaError("shutting_down", "the build of a kernel was given up");
    const { root, parts, source: path } = this.#options;
    requireProcessor();
    const { compiler } = await findBuildTools(buildEnvironment("/"));
    const source = await findKernelSource(path);
    const inputs = `${this.#prefix()}${sha256(`${source.identity}\n${compiler}`)}`;
    const found = isFresh ? null : await parts.find("kernel", inputs);
    if (found !== null) return found;
    return await parts.make("kernel", inputs, (folder) =>
      fillWithBuilt(folder, { root, source }, work),
    );
  }

  #prefix(): string {
    return `${OWN} ${sha256(kernelFragment(this.#options.root).text)} `;
  }
}

function requireProcessor(): void {
  if (process.arch !== "x64")
    throw new IsolaError(
      "driver_unavailable",
      `the configuration of the kernel is for x64, not ${process.arch}`,
    );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
