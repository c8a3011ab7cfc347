/** Names of cases of the conformance suite, or of parts of them, and why they are not run. */
export type LeftOut = Readonly<Record<string, string>>;

const ownImage = { "missing-runtime": "the interpreter is the image's, not a file of the host" };

/** Cases that need what an ordinary child process does not have. */
const needIsolation = [
  ...["neighbours", "socket-files", "host-files", "network", "read-only", "tmp-size"],
  ...["privileges", "shm-size", "every-process", "writable-mounts", "signal-everyone"],
];
/** Their code refuses to run among the processes and files of the host. */
const refuseToRun = ["kill-hop", "memory-files", "memory-sockets", "memory-inodes", "memory-task"];

/** What a sample of processes does not see. */
const withoutCgroups = all(
  "without cgroups, memory that is no process's own is bounded by sizes of file systems and descriptors only",
  ["memory-files", "memory-sockets", "memory-inodes", "memory-task"],
);

const withoutIsolation = {
  ...all("an ordinary child process shares files, network and user with the server", [
    ...needIsolation,
    "escape-*",
  ]),
  ...all("code that would harm the host does not run outside of a sandbox", refuseToRun),
};

const sampled = {
  ...withoutCgroups,
  ...all("without cgroups, what forks is stopped by a sample, not by the kernel", [
    ...["processes", "fork-storm", "kill-storm"],
  ]),
  threads: "a sample counts processes, not their threads",
};

/** Of a kernel that is the sandbox's alone, and does nothing with what is left out here. */
const gvisor = {
  ...ownImage,
  "line-no-new-privs":
    "gVisor has no such line; that no program gives rights is asked by prctl in escape-rights",
  "line-ambient": "gVisor has no ambient capabilities, and no such line",
  "mount-dev": "/dev is a tmpfs of gVisor's that belongs to root: the case read-only writes to it",
  "mount-options": "gVisor does not show nosuid and nodev; nobody can make a device or gain rights",
  "devices-devices_for_drivers":
    "gVisor has /dev/fuse and /dev/net/tun of its own, which take rights that nobody has",
  "rights-niceness": "gVisor keeps the number and does nothing with it",
};

const microvm = {
  ...ownImage,
  "limits-doubled": "a machine's RAM is what it was started with",
};

/**
 * What each way of running a driver leaves out, by the title of its suite; `escape-*` is every case of that kind. docs/conformance.md is made of it.
 */
export const leftOut = {
  process: {},
  "process without cgroups": withoutCgroups,
  "process without bubblewrap": withoutIsolation,
  "process without both": { ...withoutIsolation, ...sampled },
  docker: ownImage,
  "docker on another machine": {
    ...ownImage,
    ...all("nothing of this machine can be mounted there", ["sockets", "socket-files"]),
    "control-socket": "its control stream is two pipes",
  },
  gvisor: {
    ...gvisor,
    "kernel-settings-own_entries_open_for_writing":
      "gVisor does not make /proc read-only; these entries are of the sandbox's own processes",
  },
  "gvisor without an engine": gvisor,
  microvm: {
    ...microvm,
    "link-to-shell":
      "the image has a link to where the shell of builds would be, and there is none behind it",
    "memory-sockets":
      "the limit holds, but an emulated kernel takes minutes to look for pages to give back before it kills",
  },
  "microvm with Firecracker": microvm,
} satisfies Record<string, LeftOut>;

function all(reason: string, cases: readonly string[]): LeftOut {
  return Object.fromEntries(cases.map((name) => [name, reason]));
}

/** Why a case is left out; undefined: it is not. */
export function reasonToLeave(leftOut: LeftOut, name: string): string | undefined {
  return leftOut[name] ?? (name.startsWith("escape-") ? leftOut["escape-*"] : undefined);
}
