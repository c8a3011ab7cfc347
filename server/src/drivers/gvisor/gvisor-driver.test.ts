import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { type SuiteDriver, containerConformance } from "../docker/testing/container-conformance.ts";
import { machine } from "./testing/gvisor-stand.ts";

const driver: SuiteDriver = {
  ...{ name: "gvisor", machine },
  make: (settings, bootId) => lazyDriver("gvisor", settings, bootId),
  script: fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url)),
};

/** Of a kernel that is the sandbox's alone, and does nothing with what is left out here. */
const leavesOut = {
  "missing-runtime": "the interpreter is the image's, not a file of the host",
  "line-no-new-privs":
    "gVisor has no such line; that no program gives rights is asked by prctl in escape-rights",
  "line-ambient": "gVisor has no ambient capabilities, and no such line",
  "mount-dev": "/dev is a tmpfs of gVisor's that belongs to root: the case read-only writes to it",
  "mount-options": "gVisor does not show nosuid and nodev; nobody can make a device or gain rights",
  "kernel-settings-own_entries_open_for_writing":
    "gVisor does not make /proc read-only; these entries are of the sandbox's own processes",
  "devices-devices_for_drivers":
    "gVisor has /dev/fuse and /dev/net/tun of its own, which take rights that nobody has",
  "rights-niceness": "gVisor keeps the number and does nothing with it",
};

await containerConformance(driver, [{ title: "gvisor", isRemote: false, leavesOut }]);
