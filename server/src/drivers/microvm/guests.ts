import type { GuestImages } from "../../images/guest/guest-images.ts";
import type { RuntimeSpec } from "../driver.ts";
import type { GuestFiles } from "./vmm.ts";

/** Where the driver has its guests from. */
export interface GuestSource {
  /** The guest of a runtime, made where it is missing. Rejects with `driver_unavailable` that says what would help. */
  of(runtime: RuntimeSpec): Promise<GuestFiles>;
  /** One of those that were asked for, to try a VMM with; null: none was. */
  readonly any: GuestFiles | null;
  /** What guests have for a kernel, as people are told. */
  kernel(): Promise<string>;
  close(): void;
}

/** Each is looked at once, and again where the parts of guests have changed: another kernel may have been built, or what was outdated removed. */
export function guestSource(images: GuestImages, onProgress: (text: string) => void): GuestSource {
  const known = new Map<string, Promise<GuestFiles>>();
  let any: GuestFiles | null = null;
  let seenAtMs = 0;
  const ensure = async (runtime: RuntimeSpec) => {
    any = await images.ensure(runtime, onProgress);
    return any;
  };
  return {
    async of(runtime) {
      const key = [runtime.name, runtime.version, runtime.executable].join("\n");
      const changedAtMs = await images.changedAtMs();
      if (changedAtMs !== seenAtMs) known.clear();
      seenAtMs = changedAtMs;
      const found = known.get(key) ?? ensure(runtime);
      known.set(key, found);
      // It may be possible the next time.
      found.catch(() => known.get(key) === found && known.delete(key));
      return await found;
    },
    get any() {
      return any;
    },
    kernel: () => images.kernelInUse(),
    close: () => images.close(),
  };
}
