import { examine } from "../../docker/probe.ts";
import { containers, skipOf } from "../../docker/testing/docker-stand.ts";
import { gvisorFlavour } from "../gvisor-flavour.ts";

export const machine = await examine(containers, gvisorFlavour(null));

/** Why tests of the gvisor driver cannot run here; false where they can, and on CI, where they have to. */
export const skipGvisor = skipOf(machine);
