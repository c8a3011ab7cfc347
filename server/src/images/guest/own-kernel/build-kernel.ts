import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { IsolaError } from "../../../errors.ts";
import { runCommand } from "../../run-command.ts";
import type { GuestWork } from "../guest-work.ts";
import { kernelVersion } from "../kernel.ts";
import { untakenOptions } from "./kernel-config.ts";
import { type KernelSource, versionIn } from "./kernel-source.ts";

const IMAGE = "arch/x86/boot/bzImage";
/** Source and objects: 1.6 GB and 0.2 GB, with the package that they come from. */
const ROOM_BYTES = 2_500_000_000;
const CONFIGURE_MS_MAX = 5 * 60_000;
const COMPILE_MS_MAX = 35 * 60_000;
/** One line of progress for so many files. */
const FILES_PER_LINE = 100;

/** Of the repository's folder: the configuration, over `make allnoconfig`. */
export function kernelFragment(root: string): { path: string; text: string } {
  const path = join(root, "images/microvm/kernel.config");
  return { path, text: readFileSync(path, "utf8") };
}

/** What a build sees of this machine: neither flags of a compiler nor temporary files elsewhere. */
export function buildEnvironment(place: string): NodeJS.ProcessEnv {
  return {
    ...{ PATH: process.env.PATH, LC_ALL: "C", HOME: place, TMPDIR: place },
    // The same kernel of the same source, whenever and by whomever it is built.
    ...{ KBUILD_BUILD_USER: "isola", KBUILD_BUILD_HOST: "isola", KBUILD_BUILD_VERSION: "1" },
    KBUILD_BUILD_TIMESTAMP: "Thu Jan  1 00:00:00 UTC 1970",
  };
}

export interface KernelBuild {
  /** The folder that holds `images/`. */
  root: string;
  source: KernelSource;
}

/**
 * Fills a folder with a kernel that is built here, `vmlinuz`, and resolves with what it is. Everything else is done below the folder too, and gone at the end. Rejects
 * with `driver_unavailable`: in the words of `make`, or with the options of the configuration that this source does not take.
 */
export async function fillWithBuilt(
  folder: string,
  { root, source }: KernelBuild,
  work: GuestWork,
): Promise<string> {
  await requireRoom(folder);
  const place = await mkdtemp(join(folder, "build-"));
  try {
    const tree = await source.unpack(place, work);
    const objects = join(place, "objects");
    await mkdir(objects);
    const make = makeIn(tree, objects, { ...work, place });
    const fragment = kernelFragment(root);
    work.onProgress(`configuring Linux ${await versionIn(tree)}`);
    await make([`KCONFIG_ALLCONFIG=${fragment.path}`, "allnoconfig"], CONFIGURE_MS_MAX);
    const untaken = untakenOptions(
      fragment.text,
      await readFile(join(objects, ".config"), "utf8").catch(() => ""),
    );
    if (untaken.length > 0) throw notTaken(source, untaken);
    await make([`-j${availableParallelism()}`, "bzImage"], COMPILE_MS_MAX);
    const image = join(objects, IMAGE);
    const version = await kernelVersion(image);
    await copyFile(image, join(folder, "vmlinuz"));
    return `${version}, built here of ${source.text}`;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

type Make = (args: string[], totalMs: number) => Promise<void>;

function makeIn(tree: string, objects: string, work: GuestWork & { place: string }): Make {
  const env = buildEnvironment(work.place);
  const { onProgress, signal } = work;
  const onOutput = fileCounter(onProgress);
  return (args, totalMs) =>
    // Calls of functions go first.
    runCommand("nice", ["-n", "19", "make", "-C", tree, `O=${objects}`, ...args], {
      ...{ env, onProgress, onOutput, signal, deadlines: { totalMs, silenceMs: totalMs } },
      missing: "nice is not installed: apt-get install -y coreutils",
    });
}

function fileCounter(onProgress: (line: string) => void): (line: string) => void {
  let files = 0;
  return (line) => {
    const path = /^ {2}(?:CC|AS) {2,}(\S+)$/.exec(line)?.[1];
    if (path === undefined) return;
    files += 1;
    if (files % FILES_PER_LINE === 0) onProgress(`compiled ${files} files, the last ${path}`);
  };
}

function notTaken(source: KernelSource, untaken: string[]): IsolaError {
  return new IsolaError(
    "driver_unavailable",
    `${source.text} does not take the configuration of images/microvm/kernel.config, which is for Linux 6.1: ${untaken.join(", ")}`,
  );
}

async function requireRoom(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= ROOM_BYTES) return;
  const [there, wanted] = [bavail * bsize, ROOM_BYTES].map((bytes) => Math.floor(bytes / 1e6));
  throw new IsolaError(
    "driver_unavailable",
    `a kernel is built with ${wanted} MB of disk space, of which ${folder} has ${there} MB`,
  );
}
