import { whyNoGuest } from "../../testing/test-guest.ts";

/** How many times as long as elsewhere anything may take where a processor is emulated. */
export const SLOWNESS = 4;

/** Why tests that boot guests cannot run here; false where they can. */
export const skipMicrovm: string | false = whyNoGuest() ?? false;
