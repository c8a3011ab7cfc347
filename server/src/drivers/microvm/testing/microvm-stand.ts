import { findQemu } from "../qemu/find-qemu.ts";

const { qemu, problems, fixes } = await findQemu();

/** Why tests that boot guests cannot run here; false where they can, and on CI, where they have to. */
export const skipMicrovm: string | false =
  qemu !== null || process.env.CI !== undefined
    ? false
    : `${problems.join("; ")}: ${fixes.join("; ")}`;
