import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CpioEntry, cpioArchive } from "./cpio.ts";
import { type GuestWork, run } from "./guest-work.ts";
import type { Part } from "./parts.ts";

/** What the drivers say of every sandbox's view; init puts it in force. */
export interface GuestView {
  /** The platform's folder inside. */
  platform: string;
  taskBytes: number;
  shmBytes: number;
  /** A program of classic BPF for `seccomp(2)`: the code runs under it. */
  filter: Buffer;
}

export type FileSystem = "erofs" | "squashfs";

const flags = [
  ...["-std=gnu17", "-Os", "-static", "-D_GNU_SOURCE"],
  ...["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"],
];
const MISSING =
  "a C compiler makes the guest's first program, and there is none: apt-get install -y gcc libc6-dev";
const FOLDER = "images/microvm";
/** Of the host, in a folder below. */
const SEALER = "host/seal-memory.c";

/** Sources of the first program, by name. */
export function initSources(root: string): Map<string, Buffer> {
  const folder = join(root, FOLDER);
  const names = readdirSync(folder)
    .filter((name) => /\.[ch]$/.test(name))
    .sort();
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** Of all that an initramfs is made of, but for the compiler. */
export function initramfsInputs(
  root: string,
  kernel: Part,
  fileSystem: FileSystem,
  view: GuestView,
): string {
  const hash = createHash("sha256").update(
    JSON.stringify([kernel.digest, fileSystem, flags, definitions(view)]),
  );
  const sealer = readFileSync(join(root, FOLDER, SEALER));
  for (const [name, bytes] of [...initSources(root), [SEALER, sealer] as const])
    hash.update(`\0${name}\0`).update(bytes);
  return hash.update(view.filter).digest("hex");
}

/**
 * Fills a folder with `initramfs.cpio`: the first program, the kernel's modules, and the filter; and with `seal-memory`, the program of the host that keeps a guest's memory for restores. Rejects with
 * `driver_unavailable`.
 */
export async function fillWithInitramfs(
  folder: string,
  {
    root,
    kernel,
    fileSystem,
    view,
  }: { root: string; kernel: Part; fileSystem: FileSystem; view: GuestView },
  work: GuestWork,
): Promise<string> {
  const place = await mkdtemp(join(folder, "init-"));
  const compile = (args: string[], program: string) =>
    run("cc", [...flags, ...args, "-o", program, "-Wl,--build-id=none", "-s"], {
      ...{ ...work, missing: MISSING, cwd: join(root, FOLDER) },
    });
  try {
    work.onProgress("compiling the guest's first program");
    const program = join(place, "init");
    const sources = [...initSources(root).keys()].filter((name) => name.endsWith(".c"));
    await compile([...definitions(view), ...sources], program);
    await compile([SEALER], join(folder, "seal-memory"));
    const entries = await entriesOf(kernel, fileSystem, view.filter);
    entries.push({ path: "init", mode: 0o755, content: await readFile(program) });
    await writeFile(join(folder, "initramfs.cpio"), cpioArchive(entries));
    return `${fileSystem}, kernel ${kernel.text}`;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function definitions({ platform, taskBytes, shmBytes }: GuestView): string[] {
  return [
    `-DISOLA_TOOLS="${platform}/tools"`,
    `-DISOLA_TASK_BYTES=${taskBytes}`,
    `-DISOLA_SHM_BYTES=${shmBytes}`,
  ];
}

async function entriesOf(
  kernel: Part,
  fileSystem: FileSystem,
  filter: Buffer,
): Promise<CpioEntry[]> {
  const other = fileSystem === "erofs" ? "squashfs" : "erofs";
  const modules = kernel.files
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".ko") && !name.startsWith(`${other}.`));
  const entries: CpioEntry[] = ["dev", "etc", "etc/isola", "modules"].map((path) => ({
    path,
    mode: 0o755,
    content: "folder",
  }));
  // Where the kernel lets the first program speak.
  entries.push({ path: "dev/console", mode: 0o600, content: { major: 5, minor: 1 } });
  entries.push({ path: "etc/isola/seccomp", mode: 0o400, content: filter });
  for (const name of modules)
    entries.push({
      path: `modules/${name}`,
      mode: 0o400,
      content: await readFile(join(kernel.folder, name)),
    });
  return entries;
}
