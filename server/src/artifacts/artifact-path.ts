import { join } from "node:path";

/** Where an artifact lies below the artifact folder. */
export function artifactPath(dir: string, digest: string): string {
  return join(dir, digest.slice(0, 2), `${digest}.tar`);
}
