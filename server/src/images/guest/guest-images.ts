import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { accessSync, constants } from "node:fs";
import { fileURLToPath } from "node:url";
import { IsolaError, messageOf } from "../../errors.ts";
import type { OnProgress } from "../engine-stream.ts";
import type { GuestRuntime } from "./guest-runtime.ts";
import type { GuestWork } from "./guest-work.ts";
import {
  type FileSystem,
  type GuestView,
  fillWithInitramfs,
  initramfsInputs,
} from "./initramfs.ts";
import { fillWithOperators, fillWithPackage, kernelPackage } from "./kernel.ts";
import { OwnKernels } from "./own-kernel/own-kernels.ts";
import { type Part, type PartKind, Parts } from "./parts.ts";
import type { GuestTree } from "./guest-tree.ts";
import { rootTree, toolsTree } from "./root-tree.ts";
import { fileSystemHere, fillWithImage, imageName } from "./tree-image.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

export interface GuestImagesOptions {
  /** Where the parts are kept: `vm/` of the data folder. */
  folder: string;
  view: GuestView;
  /** Path of the operator's kernel; null: one that was built here, or else the distribution's. */
  kernel: string | null;
  /** What a kernel is built of here: the operator's tar archive or folder; null: the distribution's package. */
  kernelSource: string | null;
}

/** Paths of what a guest is made of. */
export interface GuestPaths {
  kernel: string;
  initramfs: string;
  root: string;
  /** null: the runtime has no tools. */
  tools: string | null;
  /** The program of the host that keeps memory for restores (images/microvm/host/seal-memory.c). */
  sealer: string;
  /** Of all of the above: 64 hexadecimal digits. */
  digest: string;
  /** `root-0123456789abcdef` */
  rootName: string;
}

export interface BuiltKernel {
  /** `kernel-0123456789abcdef` */
  name: string;
  digest: string;
  /** False: it was there. */
  wasBuilt: boolean;
}

interface Anew {
  /** The distribution's kernel is had anew, of the newest package. */
  isFresh?: boolean;
}

export interface ListedPart {
  /** `nodejs26 26.10.0` of an image, the version of a kernel. */
  text: string;
  kind: PartKind;
  /** `root-0123456789abcdef`; null: it is made when it is needed. */
  name: string | null;
  state: "current" | "missing" | "outdated";
  bytes: number | null;
  madeAtMs: number | null;
}

/** The guests of microVMs on this machine. Open until `close`, which ends work under way. */
export class GuestImages {
  readonly #options: GuestImagesOptions;
  readonly #parts: Parts;
  readonly #own: OwnKernels;
  readonly #closing = new AbortController();
  /** One after the other: what two need is made once. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: GuestImagesOptions) {
    this.#options = options;
    this.#parts = new Parts(options.folder);
    this.#own = new OwnKernels({
      ...{ root: ROOT, parts: this.#parts, source: options.kernelSource },
    });
  }

  /** The guest of a runtime: what is missing or damaged of it is made. Rejects with `driver_unavailable` that says what would help; nothing half done is left. */
  ensure(
    runtime: GuestRuntime,
    onProgress: OnProgress = () => {},
    { isFresh = false }: Anew = {},
  ): Promise<GuestPaths> {
    const work = { onProgress, signal: this.#closing.signal };
    return this.#inTurn(async () => {
      const fileSystem = fileSystemHere(isProgram);
      const kernel = await this.#kernel(work, isFresh);
      const initramfs = await this.#initramfs(kernel, fileSystem, work);
      const [root, tools] = await this.#images(runtime, fileSystem, work);
      return pathsOf({ kernel, initramfs, root, tools }, fileSystem);
    });
  }

  /**
   * Builds a kernel of our own where there is none of the same configuration, source and compiler, for guests to have from then on; guests that are asked for meanwhile have the one
   * of before. Ended by `signal`, `close` or `removeKernels`, and then nothing is left. Rejects with `driver_unavailable`.
   */
  async buildKernel(
    onProgress: OnProgress,
    signal: AbortSignal,
    { isFresh = false }: Anew = {},
  ): Promise<BuiltKernel> {
    if (this.#options.kernel !== null)
      throw new IsolaError(
        "driver_unavailable",
        `guests have the kernel that vmKernel names, ${this.#options.kernel}: unset it before one is built`,
      );
    const before = new Set((await this.#parts.list()).map(({ name }) => name));
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const { name, digest } = await this.#own.build({ onProgress, signal: either }, isFresh);
    return { name, digest, wasBuilt: !before.has(name) };
  }

  /** Removes kernels that were built here, and ends a build of one: guests have the distribution's again. Resolves with their names. */
  removeKernels(): Promise<string[]> {
    return this.#own.remove();
  }

  /** What guests have for a kernel, as people are told. */
  async kernelInUse(): Promise<string> {
    const { kernel } = this.#options;
    if (kernel !== null) return `${kernel}, the operator's`;
    return (await this.#own.current())?.text ?? `${kernelPackage()}, the distribution's`;
  }

  /** When the parts in the folder last changed: what `ensure` resolved with before may be gone, or not be the newest. */
  async changedAtMs(): Promise<number> {
    return await stat(this.#options.folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  }

  /** What there is, and which of it these runtimes lack. */
  async list(runtimes: readonly GuestRuntime[]): Promise<ListedPart[]> {
    const wanted = await this.#wanted(runtimes);
    const current = new Set(wanted.map(({ part }) => part?.name));
    const missing = wanted.filter(({ part }) => part === null);
    const outdated = (await this.#parts.list()).filter(({ name }) => !current.has(name));
    const there = wanted.flatMap(({ part }) => part ?? []);
    return [
      ...there.map((part) => listed(part, "current")),
      ...missing.map(({ kind, text }) => ({ kind, text, ...NOTHING })),
      ...outdated.map((part) => listed(part, "outdated")),
    ];
  }

  /** Removes what guests of these runtimes are not made of. What a running machine has open stays with it until its end. Resolves with the names of what is gone. */
  prune(runtimes: readonly GuestRuntime[]): Promise<string[]> {
    return this.#inTurn(async () => {
      const wanted = await this.#wanted(runtimes);
      return await this.#parts.removeAllBut(
        new Set(wanted.flatMap(({ part }) => part?.name ?? [])),
      );
    });
  }

  close(): void {
    this.#closing.abort();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // told to who asked for it
    return done;
  }

  async #ensurePart(
    kind: Part["kind"],
    inputs: string,
    make: { isFresh?: boolean; fill(folder: string): Promise<string> },
  ): Promise<Part> {
    const found = make.isFresh === true ? null : await this.#parts.find(kind, inputs);
    return found ?? (await this.#parts.make(kind, inputs, make.fill));
  }

  async #wanted(runtimes: readonly GuestRuntime[]): Promise<WantedPart[]> {
    const fileSystem = fileSystemHere(isProgram);
    const kernel =
      (await this.#ownKernel()) ?? (await this.#parts.find("kernel", await this.#kernelInputs()));
    const wanted: WantedPart[] = [
      { kind: "kernel", text: this.#options.kernel ?? kernelPackage(), part: kernel },
    ];
    const initramfs =
      kernel &&
      (await this.#parts.find(
        "initramfs",
        initramfsInputs(ROOT, kernel, fileSystem, this.#options.view),
      ));
    wanted.push({ kind: "initramfs", text: fileSystem, part: initramfs });
    for (const runtime of runtimes)
      for (const [kind, tree] of Object.entries(await this.#trees(runtime)) as [
        "root" | "tools",
        GuestTree | null,
      ][]) {
        if (tree === null) continue;
        wanted.push({
          kind,
          text: textOf(runtime),
          part: await this.#parts.find(kind, imageInputs(fileSystem, tree)),
        });
      }
    return wanted;
  }

  async #kernelInputs(): Promise<string> {
    const { kernel } = this.#options;
    return kernel === null ? sha256(kernelPackage()) : await stampOf(kernel);
  }

  async #trees(runtime: GuestRuntime): Promise<{ root: GuestTree; tools: GuestTree | null }> {
    const place = { root: ROOT, platform: this.#options.view.platform };
    return { root: await rootTree(place, runtime), tools: toolsTree(runtime) };
  }

  /** null: the operator's goes first, or none was built. */
  async #ownKernel(): Promise<Part | null> {
    return this.#options.kernel === null ? await this.#own.current() : null;
  }

  async #kernel(work: GuestWork, isFresh: boolean): Promise<Part> {
    const own = await this.#ownKernel();
    if (own !== null) return own;
    const { kernel } = this.#options;
    const inputs = await this.#kernelInputs();
    const fill = (folder: string) =>
      kernel === null ? fillWithPackage(folder, work) : fillWithOperators(kernel, folder);
    return await this.#ensurePart("kernel", inputs, { isFresh, fill });
  }

  async #initramfs(kernel: Part, fileSystem: FileSystem, work: GuestWork): Promise<Part> {
    const { view } = this.#options;
    const inputs = initramfsInputs(ROOT, kernel, fileSystem, view);
    const fill = (folder: string) =>
      fillWithInitramfs(folder, { root: ROOT, kernel, fileSystem, view }, work);
    return await this.#ensurePart("initramfs", inputs, { fill });
  }

  async #images(
    runtime: GuestRuntime,
    fileSystem: FileSystem,
    work: GuestWork,
  ): Promise<[root: Part, tools: Part | null]> {
    const trees = await this.#trees(runtime);
    const text = textOf(runtime);
    const ensure = async (kind: "root" | "tools", tree: GuestTree) => {
      const fill = async (folder: string) => {
        work.onProgress(`making the ${kind} image of ${text}`);
        await fillWithImage(folder, tree, fileSystem, work);
        return text;
      };
      return await this.#ensurePart(kind, imageInputs(fileSystem, tree), { fill });
    };
    const root = await ensure("root", trees.root);
    return [root, trees.tools === null ? null : await ensure("tools", trees.tools)];
  }
}

interface WantedPart {
  kind: PartKind;
  text: string;
  part: Part | null;
}

const NOTHING = { name: null, state: "missing", bytes: null, madeAtMs: null } as const;

function listed(
  { kind, text, name, files, madeAtMs }: Part,
  state: "current" | "outdated",
): ListedPart {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { kind, text, name, state, bytes, madeAtMs };
}

function textOf({ name, version }: GuestRuntime): string {
  return `${name} ${version}`;
}

function imageInputs(fileSystem: FileSystem, tree: GuestTree): string {
  return sha256(`${fileSystem} ${tree.digest}`);
}

interface GuestParts {
  kernel: Part;
  initramfs: Part;
  root: Part;
  tools: Part | null;
}

function pathsOf(
  { kernel, initramfs, root, tools }: GuestParts,
  fileSystem: FileSystem,
): GuestPaths {
  const image = imageName(fileSystem);
  const digests = [kernel, initramfs, root, tools].map((part) => part?.digest ?? "none");
  return {
    kernel: join(kernel.folder, "vmlinuz"),
    initramfs: join(initramfs.folder, "initramfs.cpio"),
    root: join(root.folder, image),
    tools: tools === null ? null : join(tools.folder, image),
    sealer: join(initramfs.folder, "seal-memory"),
    digest: sha256(digests.join(" ")),
    rootName: root.name,
  };
}

async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return sha256(`${path} ${size} ${mtimeMs}`);
  } catch (cause) {
    throw new IsolaError(
      "driver_unavailable",
      `the kernel ${path} cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function isProgram(name: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return [...folders, "/usr/sbin", "/sbin"].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false; // not in this one
    }
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
