import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { IsolaError, messageOf } from "../../errors.ts";

/** What a guest needs, by when it is loaded: always, with one kind of root image, or with one way to the host. */
const wanted = {
  common: ["virtio_mmio", "virtio_blk"],
  erofs: ["erofs"],
  squashfs: ["squashfs"],
  serial: ["virtio_console"],
  vsock: ["vmw_vsock_virtio_transport"],
} as const;
const MODULE_BYTES_MAX = 64 * 1024 * 1024;

export interface KernelModule {
  /** `common.00.virtio_mmio.ko`: by when it is loaded, and its turn. */
  name: string;
  bytesOf(): Promise<Buffer>;
}

/** The modules of a kernel's folder that a guest needs, each after those it stands on. What is built into the kernel is none of them. */
export async function findModules(folder: string): Promise<KernelModule[]> {
  const files = await moduleFiles(folder);
  if (files.size === 0) return []; // a kernel that has all built in
  const builtIn = await builtInModules(folder);
  const done = new Set<string>();
  const found: KernelModule[] = [];
  const add = async (group: string, name: string): Promise<void> => {
    if (done.has(name) || builtIn.has(name)) return;
    done.add(name);
    const path = files.get(name);
    if (path === undefined)
      throw new IsolaError(
        "driver_unavailable",
        `the kernel of ${folder} has no module ${name}, which a microVM's guest needs`,
      );
    const bytes = await moduleBytes(path);
    for (const other of dependenciesOf(bytes)) await add(group, other);
    const turn = String(found.length).padStart(2, "0");
    found.push({ name: `${group}.${turn}.${name}.ko`, bytesOf: async () => bytes });
  };
  for (const [group, names] of Object.entries(wanted))
    for (const name of names) await add(group, name);
  return found;
}

/** Paths by the names that modules have for each other. */
async function moduleFiles(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = await readdir(join(folder, "kernel"), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  for (const entry of entries) {
    const name = /^(.+)\.ko(\.xz|\.zst|\.gz)?$/.exec(entry.name)?.[1];
    if (name !== undefined) files.set(plain(name), join(entry.parentPath, entry.name));
  }
  return files;
}

async function builtInModules(folder: string): Promise<Set<string>> {
  const text = await readFile(join(folder, "modules.builtin"), "utf8").catch(() => "");
  const names = text.split("\n").filter(Boolean);
  return new Set(names.map((each) => plain(basename(each).replace(/\.ko$/, ""))));
}

/** A module says itself what it stands on, in its section `.modinfo`. */
export function dependenciesOf(module: Buffer): string[] {
  const at = module.indexOf("\0depends=");
  if (at < 0) return [];
  const start = at + "\0depends=".length;
  const text = module.subarray(start, module.indexOf(0, start)).toString("latin1");
  return text.split(",").filter(Boolean).map(plain);
}

function plain(name: string): string {
  return name.replaceAll("-", "_");
}

const unpackers: Record<string, string> = { ".xz": "xz", ".zst": "zstd", ".gz": "gzip" };

async function moduleBytes(path: string): Promise<Buffer> {
  const unpacker = unpackers[/\.(xz|zst|gz)$/.exec(path)?.[0] ?? ""];
  if (unpacker === undefined) return await readFile(path);
  try {
    const options = { encoding: "buffer", maxBuffer: MODULE_BYTES_MAX } as const;
    return (await promisify(execFile)(unpacker, ["-dc", path], options)).stdout;
  } catch (cause) {
    throw new IsolaError(
      "driver_unavailable",
      `${path} cannot be unpacked by ${unpacker}: ${messageOf(cause)}`,
      { cause },
    );
  }
}
