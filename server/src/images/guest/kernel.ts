import { execFile } from "node:child_process";
import { copyFile, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { IsolaError, messageOf } from "../../errors.ts";
import { type GuestWork, run } from "./guest-work.ts";
import { findModules } from "./modules.ts";

const QUESTION_TIMEOUT_MS = 30_000;
const architectures: Partial<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Name of the package whose newest version is the kernel, `linux-image-cloud-amd64`. */
export function kernelPackage(): string {
  const architecture = architectures[process.arch];
  if (architecture === undefined)
    throw new IsolaError(
      "driver_unavailable",
      `there is no kernel of microVMs for ${process.arch}`,
    );
  return `linux-image-cloud-${architecture}`;
}

/**
 * Fills a folder with the distribution's kernel for virtual machines, `vmlinuz`, and those of its modules that a guest needs. The package is downloaded and unpacked,
 * never installed. Resolves with the kernel's version. Rejects with `driver_unavailable` that says what would help.
 */
export async function fillWithPackage(folder: string, work: GuestWork): Promise<string> {
  const name = await newestPackage();
  const place = await mkdtemp(join(folder, "package-"));
  try {
    work.onProgress(`downloading the kernel: ${name}`);
    const missing =
      "apt-get downloads the kernel, and is not here: name one with the setting vmKernel";
    await run("apt-get", ["-q", "-o", "APT::Sandbox::User=root", "download", name], {
      ...work,
      missing,
      cwd: place,
    });
    const archive = (await readdir(place)).find((each) => each.endsWith(".deb"));
    if (archive === undefined)
      throw new IsolaError("driver_unavailable", `apt-get downloaded no package of ${name}`);
    const root = join(place, "root");
    await run("dpkg-deb", ["-x", join(place, archive), root], {
      ...work,
      missing: "dpkg-deb is not installed",
    });
    const image = (await readdir(join(root, "boot"))).find((each) => each.startsWith("vmlinuz-"));
    if (image === undefined)
      throw new IsolaError("driver_unavailable", `${archive} holds no boot/vmlinuz-*`);
    const version = image.replace("vmlinuz-", "");
    await copyFile(join(root, "boot", image), join(folder, "vmlinuz"));
    await copyModules(join(root, "lib/modules", version), folder);
    return version;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Fills a folder with the operator's kernel, and with modules from where the distribution puts them, for what is not built into it. */
export async function fillWithOperators(path: string, folder: string): Promise<string> {
  const version = await kernelVersion(path);
  await copyFile(path, join(folder, "vmlinuz"));
  await copyModules(join("/lib/modules", version), folder);
  return `${version}, the operator's`;
}

async function copyModules(from: string, to: string): Promise<void> {
  for (const { name, bytesOf } of await findModules(from)) {
    const file = await open(join(to, name), "wx");
    try {
      await file.writeFile(await bytesOf());
    } finally {
      await file.close();
    }
  }
}

async function newestPackage(): Promise<string> {
  const meta = kernelPackage();
  try {
    const { stdout } = await promisify(execFile)("apt-cache", ["depends", "--important", meta], {
      timeout: QUESTION_TIMEOUT_MS,
    });
    const found = /^\s+Depends: (linux-image-\S+)$/m.exec(stdout)?.[1];
    if (found !== undefined) return found;
  } catch (cause) {
    throw new IsolaError(
      "driver_unavailable",
      `the kernel of microVMs is the package ${meta} of Debian, and apt-cache does not know it (${messageOf(cause).split("\n")[0]}); apt-get update, or name a kernel with the setting vmKernel`,
      { cause },
    );
  }
  throw new IsolaError(
    "driver_unavailable",
    `the package ${meta} names no kernel; apt-get update, or name one with the setting vmKernel`,
  );
}

const HEAD_BYTES = 16_384;
/** Of the header of a bzImage (Documentation/arch/x86/boot.rst). */
const MAGIC_AT = 0x202;
const VERSION_AT = 0x20e;
const VERSION_BASE = 0x200;

/** Of a kernel's file: `6.1.0-57-cloud-amd64`; `unknown` of an ELF. Rejects with `driver_unavailable` where it is no kernel. */
export async function kernelVersion(path: string): Promise<string> {
  const head = await headOf(path);
  if (head.subarray(0, 4).toString("latin1") === "\x7fELF") return "unknown";
  if (head.subarray(MAGIC_AT, MAGIC_AT + 4).toString("latin1") !== "HdrS")
    throw new IsolaError(
      "driver_unavailable",
      `${path} is no kernel that a virtual machine could boot: expected a bzImage or an ELF file`,
    );
  const start = head.readUInt16LE(VERSION_AT) + VERSION_BASE;
  const text = head.subarray(start, start + 256).toString("latin1");
  return /^[\w.+~-]+/.exec(text)?.[0] ?? "unknown";
}

async function headOf(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      if (bytesRead < HEAD_BYTES) throw new Error("it is too short");
      return buffer;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new IsolaError(
      "driver_unavailable",
      `the kernel ${path} cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
}
