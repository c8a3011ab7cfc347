import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { IsolaError, messageOf } from "../../../errors.ts";
import { type GuestWork, run } from "../guest-work.ts";
import { fileDigest } from "../parts.ts";

/** Kernels of this line are what the configuration was written for, and the newest that does not panic under QEMU 7.2 where all is emulated. */
const PACKAGE = "linux-source-6.1";
const QUESTION_TIMEOUT_MS = 30_000;
const OTHERWISE = "name a tar archive or a folder with the setting vmKernelSource";
const DOWNLOAD_MS_MAX = 10 * 60_000;
const UNPACK_MS_MAX = 5 * 60_000;

/** Where the source of Linux is from. */
export interface KernelSource {
  /** Another source has another one: `linux-source-6.1 6.1.192-3`, a digest of an archive, path and version of a folder. */
  identity: string;
  /** What people are told: `linux-source-6.1 6.1.192-3`, the name of an archive. */
  text: string;
  /** A folder with the source, perhaps below `place`, which is the caller's to remove. */
  unpack(place: string, work: GuestWork): Promise<string>;
}

/** `path`: of the operator's tar archive or folder; null: the distribution's package. Rejects with `driver_unavailable`. */
export async function findKernelSource(path: string | null): Promise<KernelSource> {
  if (path === null) return await packagedSource();
  const found = await stat(path).catch((cause: unknown) => {
    const text = `the source of the kernel ${path} cannot be read: ${messageOf(cause)}`;
    throw new IsolaError("driver_unavailable", text, { cause });
  });
  if (!found.isDirectory()) {
    const unpack = (place: string, work: GuestWork) => unpackArchive(path, place, work);
    return { identity: `sha256:${await fileDigest(path)}`, text: path, unpack };
  }
  const version = await versionIn(path);
  return { identity: `${path} ${version}`, text: path, unpack: async () => path };
}

/** `6.1.192`. Rejects with `driver_unavailable` where a folder holds no source of Linux. */
export async function versionIn(folder: string): Promise<string> {
  const text = await readFile(join(folder, "Makefile"), "utf8").catch(() => "");
  const number = (name: string) => new RegExp(`^${name} = (\\d+)$`, "m").exec(text)?.[1];
  const parts = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].map(number);
  if (parts.includes(undefined))
    throw new IsolaError(
      "driver_unavailable",
      `${folder} holds no source of Linux: expected a Makefile that says VERSION, PATCHLEVEL and SUBLEVEL`,
    );
  return parts.join(".");
}

async function packagedSource(): Promise<KernelSource> {
  const version = await newestVersion();
  const text = `${PACKAGE} ${version}`;
  const unpack = async (place: string, work: GuestWork) => {
    const missing = `apt-get downloads the source of the kernel, and is not here: ${OTHERWISE}`;
    const deadlines = { totalMs: DOWNLOAD_MS_MAX, silenceMs: DOWNLOAD_MS_MAX };
    work.onProgress(`downloading the source of the kernel: ${text}`);
    const args = ["-q", "-o", "APT::Sandbox::User=root", "download", `${PACKAGE}=${version}`];
    await run("apt-get", args, { ...work, deadlines, missing, cwd: place });
    const archive = (await readdir(place)).find((name) => name.endsWith(".deb"));
    if (archive === undefined)
      throw new IsolaError("driver_unavailable", `apt-get downloaded no package of ${text}`);
    const root = join(place, "package");
    await run("dpkg-deb", ["-x", join(place, archive), root], {
      ...{ ...work, deadlines, missing: "dpkg-deb is not installed" },
    });
    return await unpackArchive(join(root, `usr/src/${PACKAGE}.tar.xz`), place, work);
  };
  return { identity: text, text, unpack };
}

async function newestVersion(): Promise<string> {
  const args = ["--no-all-versions", "show", PACKAGE];
  const { stdout } = await promisify(execFile)("apt-cache", args, {
    timeout: QUESTION_TIMEOUT_MS,
  }).catch(() => ({ stdout: "" }));
  const version = /^Version: (\S+)$/m.exec(stdout)?.[1];
  if (version !== undefined) return version;
  throw new IsolaError(
    "driver_unavailable",
    `the source of the kernel is the package ${PACKAGE} of Debian, which apt-cache does not know here: apt-get update, or ${OTHERWISE}`,
  );
}

async function unpackArchive(path: string, place: string, work: GuestWork): Promise<string> {
  const to = join(place, "source");
  await mkdir(to);
  work.onProgress("unpacking the source of the kernel");
  const deadlines = { totalMs: UNPACK_MS_MAX, silenceMs: UNPACK_MS_MAX };
  await run("tar", ["--extract", "--file", path, "--directory", to, "--no-same-owner"], {
    ...{ ...work, deadlines, missing: "tar unpacks the source of the kernel and is not installed" },
  });
  // As Linux is packed: all below one folder.
  const names = await readdir(to);
  const folder = names.length === 1 ? join(to, names[0] as string) : to;
  await versionIn(folder);
  return folder;
}
