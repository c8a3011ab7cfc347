import type { RuntimeSpec } from "../driver.ts";
import type { GuestFiles } from "./vmm.ts";

/** Where the driver has its guests from. */
export interface GuestSource {
  /** The guest of a runtime. Rejects with `driver_unavailable` where there is none, and says what makes one. */
  of(runtime: RuntimeSpec): Promise<GuestFiles>;
  /** What there is, whatever the runtime. */
  examine(): Promise<GuestsFound>;
}

export interface GuestsFound {
  /** `{ kernel: "6.1.0-42-cloud-amd64" }` */
  versions: Record<string, string>;
  /** One to try a VMM with; null: none is there. */
  any: GuestFiles | null;
  /** Without these nothing is started. */
  problems: string[];
  fixes: string[];
}
