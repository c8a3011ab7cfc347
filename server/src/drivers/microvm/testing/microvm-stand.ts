import { whyNoGuest } from "../../testing/test-guest.ts";

/** Emulated, what meets a memory limit takes half a minute each: `MICROVM_TESTS=whole` runs whole suites, else there is a choice of them. */
export const isWhole = process.env.MICROVM_TESTS === "whole";

/** How many times as long as elsewhere anything may take where a processor is emulated. */
export const SLOWNESS = 4;

/** Why tests that boot guests cannot run here; false where they can. */
export const skipMicrovm: string | false = whyNoGuest() ?? false;
