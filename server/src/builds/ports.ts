import type { Readable } from "node:stream";
import type { CheckedPackage } from "../artifacts/read-package.ts";
import type { Artifact } from "../domain/function.ts";
import type { LinkRequests } from "../link/messages.ts";

/** What builds need of others. */

export interface BuildGateway {
  request<K extends "build" | "cancelBuild">(
    kind: K,
    params: LinkRequests[K]["params"],
  ): Promise<LinkRequests[K]["result"]>;
}

export interface BuildArtifacts {
  put(checked: Pick<CheckedPackage, "entries" | "unpackedBytes" | "tar">): Promise<Artifact>;
  open(digest: string): Promise<Readable>;
  has(digest: string): Promise<boolean>;
  remove(digest: string): Promise<void>;
}

export interface BuildProgress {
  /** Lines of the output, as they come. */
  onOutput(lines: readonly string[]): void;
  /** Nobody waits for it any more. */
  signal: AbortSignal;
}
