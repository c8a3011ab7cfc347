/** Of a kernel that is the sandbox's alone, and does nothing with what is left out here: cases of the conformance suite, whichever way it is run. */
export const leftOutByGvisor = {
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
