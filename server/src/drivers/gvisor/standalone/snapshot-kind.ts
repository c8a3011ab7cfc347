import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { cpus, release } from "node:os";
import { MiB } from "../../../domain/limits.ts";
import type { SandboxSpec } from "../../driver.ts";
import type { SnapshotKind } from "../../snapshots.ts";
import { bundleFor, configOf } from "./bundle.ts";
import { type Platform, snapshotFlags } from "./runsc-command.ts";

/** What a snapshot is made of: a sandbox of the same runtime, in the same image, with the same that cannot be changed afterwards. */
export interface SnapshotSource extends Pick<SandboxSpec, "runtime" | "limits" | "tmpBytes"> {
  /** Path of the image. */
  image: string;
}

/** Of the program, what it is told, and the machine: what was saved with one of them is nothing to another. 64 hexadecimal digits. */
export async function identityOf(found: {
  path: string;
  version: string | null;
  platform: Platform;
}): Promise<string> {
  const { size, mtimeMs } = await stat(found.path);
  return digestOf(
    ...[found.path, found.version, size, mtimeMs, snapshotFlags(found.platform)],
    ...[release(), cpus()[0]?.model],
  );
}

export function kindOf({ image, ...spec }: SnapshotSource, identity: string): SnapshotKind {
  const { runtime, limits, tmpBytes } = spec;
  return {
    runtime: runtime.name,
    // Images are named for what is in them; all else that decides how it starts stands beside that.
    guestDigest: digestOf(JSON.stringify(configOf("/", bundleFor(spec, image, true)))),
    identity,
    shape: { processes: limits.pidsMax, tmpMiB: Math.ceil(tmpBytes / MiB) },
  };
}

function digestOf(...parts: unknown[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex");
}
