import { whyNoGuest } from "../../testing/test-guest.ts";

/** Emulated, the whole of a suite takes a quarter of an hour: `MICROVM_TESTS=whole` runs it, else the cases of its life. */
export const isWhole = process.env.MICROVM_TESTS === "whole";

/** How many times as long as elsewhere anything may take where a processor is emulated. */
export const SLOWNESS = 4;

/** Why tests that boot guests cannot run here; false where they can. */
export const skipMicrovm: string | false = whyNoGuest() ?? false;
