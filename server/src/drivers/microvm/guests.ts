import type { GuestImages } from "../../images/guest/guest-images.ts";
import type { RuntimeSpec } from "../driver.ts";
import type { GuestFiles } from "./vmm.ts";

/** Where the driver has its guests from. */
export interface GuestSource {
  /** The guest of a runtime, made where it is missing. Rejects with `driver_unavailable` that says what would help. */
  of(runtime: RuntimeSpec): Promise<GuestFiles>;
  /** One of those that were asked for, to try a VMM with; null: none was. */
  readonly any: GuestFiles | null;
  close(): void;
}

/** Each is looked at once in a life: what is not changed behind the server's back is the same. */
export function guestSource(images: GuestImages, onProgress: (text: string) => void): GuestSource {
  const known = new Map<string, Promise<GuestFiles>>();
  let any: GuestFiles | null = null;
  const ensure = async (runtime: RuntimeSpec) => {
    any = await images.ensure(runtime, onProgress);
    return any;
  };
  return {
    async of(runtime) {
      const key = [runtime.name, runtime.version, runtime.executable].join("\n");
      const found = known.get(key) ?? ensure(runtime);
      known.set(key, found);
      // It may be possible the next time.
      found.catch(() => known.delete(key));
      return await found;
    },
    get any() {
      return any;
    },
    close: () => images.close(),
  };
}
