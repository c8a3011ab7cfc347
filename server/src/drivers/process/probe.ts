import type { DriverProbe, Protection } from "../driver.ts";
import { isReachableByAll } from "../../images/host-view.ts";
import type { ProcessMachine } from "./machine.ts";

/** What the machine allows, in words. `trialProblem`: why bubblewrap is there and does not work. */
export function probeOf(
  machine: ProcessMachine,
  trialProblem: string | null,
  acceptNoIsolation: boolean,
): DriverProbe {
  const problem = trialProblem ?? machine.bwrapProblem;
  const isIsolated = machine.tier !== "none";
  const { tree } = machine.cgroups;
  return {
    name: "process",
    isAvailable: isIsolated || acceptNoIsolation,
    tier: machine.tier,
    versions: {
      ...(machine.bwrap === null ? {} : { bubblewrap: machine.bwrap.version }),
      ...(tree === null ? {} : { cgroup: tree.version }),
    },
    protections: [...viewProtections(machine), ...limitProtections(machine), killing(machine)],
    problems: problem === null ? [] : [problem],
    fixes: [...isolationFixes(machine, trialProblem), ...limitFixes(machine)],
  };
}

function viewProtections(machine: ProcessMachine): Protection[] {
  const { bwrap, isRoot } = machine;
  const isIsolated = bwrap !== null;
  const how = (text: string) => (isIsolated ? text : "no: an ordinary child process");
  const kept = (name: string, text: string) => ({ name, isEnforced: isIsolated, how: how(text) });
  return [
    kept(
      "files",
      "mount namespace: a read-only view of the runtime; /proc is read-only; /tmp and /var/task of its own",
    ),
    kept("network", "network namespace without any interface that is up but its own loopback"),
    kept("visibility", "namespaces for processes, users, IPC, host name and cgroups"),
    kept("tmp", `tmpfs of limited size; ${emptyFiles(machine)}`),
    kept("privileges", privileges(bwrap?.canDisableUserNamespaces ?? false)),
    syscalls(machine),
    isIsolated ? hostUser(isRoot) : { name: "host-user", isEnforced: false, how: how("") },
  ];
}

/** Whether destroying a sandbox finds everything that it has started. */
function killing({ bwrap, cgroups }: ProcessMachine): Protection {
  const name = "kill";
  if (cgroups.tree !== null)
    return { name, isEnforced: true, how: `cgroup ${cgroups.tree.version}: all of it at once` };
  if (bwrap !== null) return { name, isEnforced: true, how: "the end of its process namespace" };
  const how =
    "process group and what still has its environment or folder; a child that leaves all three is not found";
  return { name, isEnforced: false, how };
}

function privileges(canDisableUserNamespaces: boolean): string {
  const rest = canDisableUserNamespaces ? ", no further user namespaces" : "";
  return `no capabilities, no_new_privs${rest}`;
}

/** tmpfs as bubblewrap mounts it has no limit on the number of files. */
function emptyFiles({ cgroups }: ProcessMachine): string {
  if (cgroups.tree !== null) return "files without content count as memory";
  return "the number of files is not limited, as cgroups are not available";
}

function syscalls({ bwrap, filter }: ProcessMachine): Protection {
  const name = "syscalls";
  if (bwrap === null) return { name, isEnforced: false, how: "no: an ordinary child process" };
  if (filter.program === null) return { name, isEnforced: false, how: `no: ${filter.problem}` };
  const how =
    "seccomp filter: no mounts, namespaces, tracing, bpf, perf, io_uring, keyrings; sockets of unix and internet only; no foreign ABI";
  return { name, isEnforced: true, how };
}

function hostUser(isRoot: boolean): Protection {
  const name = "host-user";
  if (!isRoot) return { name, isEnforced: true, how: "the user of the server, who is not root" };
  if (isReachableByAll(process.execPath) && isReachableByAll(import.meta.dirname))
    return { name, isEnforced: true, how: "a user id of its own for each sandbox" };
  const how =
    "no: the server's files are in a folder that only root may pass, so sandboxes are root outside of their user namespace; install below /opt";
  return { name, isEnforced: false, how };
}

function limitProtections(machine: ProcessMachine): Protection[] {
  const { tree } = machine.cgroups;
  const open = { name: "open-files", isEnforced: true, how: "rlimit; no core files" };
  if (tree !== null) {
    const by = (controller: string) => `cgroup ${tree.version} ${controller}`;
    const has = (controller: string) => tree.controllers.includes(controller);
    const cpu = has("cpu")
      ? `${by("cpu")}: equal shares, each a tenth of the server's, where processors are not enough`
      : "no: the cpu controller is not available";
    return [
      { name: "memory", isEnforced: true, how: `${by("memory")}, no swap` },
      { name: "processes", isEnforced: true, how: by("pids") },
      { name: "cpu", isEnforced: has("cpu"), how: cpu },
      open,
    ];
  }
  const why = "problem" in machine.cgroups ? machine.cgroups.problem : "";
  return [
    {
      name: "memory",
      isEnforced: true,
      how: `of processes only, sampled twice a second, as cgroups are not available: ${why}`,
    },
    processesWithoutCgroups(machine),
    { name: "cpu", isEnforced: false, how: "no: cgroups are not available" },
    open,
  ];
}

function processesWithoutCgroups({ bwrap, isRoot, prlimit }: ProcessMachine): Protection {
  const name = "processes";
  if (bwrap !== null && (isRoot || prlimit !== null))
    return { name, isEnforced: true, how: "rlimit" };
  return { name, isEnforced: true, how: "sampled twice a second, without threads" };
}

function isolationFixes({ bwrapProblem }: ProcessMachine, trialProblem: string | null): string[] {
  if (process.platform !== "linux") return [];
  if (trialProblem !== null)
    return [
      "sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=65536",
      "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
      "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined ...",
    ];
  return bwrapProblem === null ? [] : ["apt-get install bubblewrap"];
}

function limitFixes({ cgroups }: ProcessMachine): string[] {
  if (cgroups.tree !== null || process.platform !== "linux") return [];
  return ["systemd-run --property=Delegate=yes --property=MemoryAccounting=yes ..."];
}
