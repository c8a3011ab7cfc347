import type { ImageRuntime } from "../image-inputs.ts";

/** A file or folder of the host, and where it stands below the platform's folder inside. */
interface GuestCompanion {
  from: string;
  at: string;
}

/** What an image is made of for a runtime; every `RuntimeSpec` is one. */
export interface GuestRuntime extends ImageRuntime {
  /** Absolute host path of the interpreter. */
  readonly executable: string;
  /** Arguments, with `{runtime}` standing for the folder of the runtime inside. */
  readonly args: readonly string[];
  /** Host folder with the runtime's own files. */
  readonly runtimeDir: string;
  /** Host folders and files that the interpreter needs, at the same path. */
  readonly needs: readonly string[];
  readonly companions?: readonly GuestCompanion[];
  /** What builds have beside that. */
  readonly tools?: {
    readonly companions: readonly GuestCompanion[];
    readonly needs: readonly string[];
  };
}
