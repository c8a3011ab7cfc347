import type { ArtifactStore } from "../artifacts/artifact-store.ts";
import { readPackage } from "../artifacts/read-package.ts";
import type { Artifacts } from "./ports.ts";

export interface CodeStoreOptions {
  /** Where large uploads lie while they are checked. */
  tempDir: string;
  /** Only what was last touched longer ago is removed. */
  garbageAgeMs: number;
}

/** Uploads as artifacts: checked and made canonical, then kept. */
export function codeStore(artifacts: ArtifactStore, options: CodeStoreOptions): Artifacts {
  return {
    put: async (input) => {
      const plain = input.kind === "tar.gz" ? { kind: "tar" as const, bytes: input.bytes } : input;
      const checked = await readPackage(plain, { tempDir: options.tempDir });
      try {
        return await artifacts.put(checked);
      } finally {
        await checked.close();
      }
    },
    has: (digest) => artifacts.has(digest),
    open: (digest) => artifacts.open(digest),
    collectGarbage: (keep) => artifacts.collectGarbage(keep, options.garbageAgeMs),
  };
}
