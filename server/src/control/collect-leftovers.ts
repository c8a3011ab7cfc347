import type { ArtifactStore } from "../artifacts/artifact-store.ts";
import { removeLeftoverSpools } from "../artifacts/spool.ts";
import { messageOf } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "./ports.ts";

export interface Leftovers {
  store: Pick<Store, "artifactDigests">;
  artifacts: Pick<ArtifactStore, "collectGarbage">;
  /** Where uploads lie while they are checked. */
  tempDir: string;
  log: Log;
}

/**
 * Removes what a control plane that was killed left of deploys it never committed: spool files, half-written artifacts, artifacts without a revision. To be called before
 * anything is uploaded, when the earlier control plane has ended: whatever no revision refers to then is wanted by nobody, however new it is. Never rejects.
 */
export async function collectLeftovers(options: Leftovers): Promise<void> {
  const { store, artifacts, tempDir, log } = options;
  try {
    const uploads = (await removeLeftoverSpools(tempDir)).length;
    const keep = await store.artifactDigests();
    const removed = await artifacts.collectGarbage(keep, Number.NEGATIVE_INFINITY);
    if (uploads + removed.artifacts + removed.temporary === 0) return;
    log.warn({ uploads, ...removed }, "removed what an earlier life left of its deploys");
  } catch (error) {
    // The janitor tries again; until then there is only more on the disk.
    log.warn({ reason: messageOf(error) }, "leftovers of an earlier life could not be removed");
  }
}
