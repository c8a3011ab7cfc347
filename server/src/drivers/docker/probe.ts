import { messageOf } from "../../errors.ts";
import { type CgroupsFound, findCgroups } from "../cgroups/find-cgroups.ts";
import type { DriverProbe, Protection } from "../driver.ts";
import type { Containers, EngineFacts } from "./containers.ts";
import type { ContainerFlavour, FlavourFindings } from "./flavour.ts";
import { seccompProfile } from "./seccomp-profile.ts";

/** What a driver with containers has to work with. */
export interface DockerMachine {
  /** null: it does not answer, as `problems` says. */
  facts: EngineFacts | null;
  /** Where groups around containers can be made; null: everything goes through the engine. */
  cgroups: CgroupsFound;
  /** Of the flavour. */
  runtime: string | null;
  versions: Record<string, string>;
  problems: string[];
  fixes: string[];
}

/** Asks the engine, and looks whether its containers' control groups can be reached from here. */
export async function examine(
  containers: Containers,
  flavour: ContainerFlavour,
): Promise<DockerMachine> {
  const none: CgroupsFound = { tree: null, problem: "the engine was not found" };
  try {
    const facts = await containers.facts();
    const common = problemsOf(facts);
    const cgroups = groupsFor(containers, facts);
    if (!flavour.canUpdate && cgroups.tree === null)
      common.push(`its limits can only be set by writing control groups, and ${cgroups.problem}`);
    const { runtime, versions, problems, fixes } = await own(containers, flavour, facts);
    return {
      ...{ facts, cgroups, runtime, versions },
      problems: [...common, ...problems],
      fixes: [...fixesOf(common), ...fixes],
    };
  } catch (error) {
    const text = messageOf(error);
    const nothing = { facts: null, cgroups: none, runtime: null, versions: {} };
    return { ...nothing, problems: [text], fixes: fixesOf([text]) };
  }
}

/** What a flavour looks at is in part on the engine's machine; where that is another one and the flavour cannot do without, there is nothing to look at. */
async function own(
  { isLocal }: Containers,
  flavour: ContainerFlavour,
  facts: EngineFacts,
): Promise<FlavourFindings> {
  if (!isLocal && !flavour.canUpdate)
    return { runtime: null, versions: {}, problems: [], fixes: [] };
  return await flavour.examine(facts);
}

/** Without these nothing is started: no limit and no filter is ever left out in silence. */
function problemsOf(facts: EngineFacts): string[] {
  const problems: string[] = [];
  if (isUnconfined(facts)) problems.push("the engine runs containers without a seccomp profile");
  if (!facts.hasMemoryLimit) problems.push("the engine cannot limit memory");
  if (!facts.hasPidsLimit) problems.push("the engine cannot limit processes");
  return problems;
}

function isUnconfined({ securityOptions }: EngineFacts): boolean {
  const seccomp = securityOptions.find((each) => each.startsWith("name=seccomp"));
  return seccomp === undefined || seccomp.includes("profile=unconfined");
}

function groupsFor(
  containers: Containers,
  { cgroupDriver, cgroupVersion }: EngineFacts,
): CgroupsFound {
  if (!containers.isLocal) return { tree: null, problem: "the engine is not on this machine" };
  if (cgroupDriver !== "cgroupfs")
    return { tree: null, problem: `the engine's cgroup driver is ${cgroupDriver}, not cgroupfs` };
  const found = findCgroups("root");
  if (found.tree !== null && found.tree.version !== `v${cgroupVersion}`)
    return { tree: null, problem: `the engine uses cgroup v${cgroupVersion}` };
  return found;
}

function fixesOf(problems: string[]): string[] {
  const text = problems.join("\n");
  if (/ENOENT|ECONNREFUSED/.test(text))
    return ["apt-get install docker.io && systemctl start docker", "DOCKER_HOST=unix:///path ..."];
  if (/writing control groups.*not on this machine/.test(text))
    return ["DOCKER_HOST=unix:///path of an engine on this machine"];
  if (/writing control groups/.test(text))
    return [
      'run the server as root, and the engine with { "exec-opts": ["native.cgroupdriver=cgroupfs"] } in /etc/docker/daemon.json',
    ];
  if (/EACCES|EPERM/.test(text)) return [`usermod -aG docker ${process.env.USER ?? "<user>"}`];
  if (/memory|processes/.test(text))
    return ["rootless: give the user's slice the controllers: Delegate=cpu memory pids"];
  return [];
}

export function probeOf(
  machine: DockerMachine,
  { containers, flavour }: { containers: Containers; flavour: ContainerFlavour },
): DriverProbe {
  const { facts, cgroups, problems, fixes } = machine;
  const groups = facts === null ? "" : groupsText(facts, cgroups, containers);
  const common = facts === null ? [] : protectionsOf(groups, cgroups.tree !== null);
  const special = { ...(!containers.isLocal && elsewhere), ...flavour.protections(groups) };
  return {
    name: flavour.name,
    isAvailable: problems.length === 0,
    tier: flavour.tier,
    versions:
      facts === null
        ? {}
        : {
            ...machine.versions,
            engine: facts.version,
            api: facts.apiVersion,
            cgroup: `v${facts.cgroupVersion}`,
            storage: facts.storageDriver,
            ...(isRootless(facts) && { mode: "rootless" }),
          },
    protections: common.map((each) => ({ ...each, how: special[each.name] ?? each.how })),
    problems,
    fixes,
  };
}

function isRootless({ securityOptions }: EngineFacts): boolean {
  return securityOptions.some((each) => each.startsWith("name=rootless"));
}

function groupsText(facts: EngineFacts, cgroups: CgroupsFound, containers: Containers): string {
  return cgroups.tree === null
    ? `by ${containers.host}, as ${cgroups.problem}`
    : `cgroup v${facts.cgroupVersion}, written directly`;
}

const ROOT = "read-only root of an image of ours; /tmp and /var/task of its own";
const LOOPBACK = "network namespace with nothing but its own loopback";

/** What takes files or namespaces of this machine is not there. */
const elsewhere: Record<string, string> = {
  files: `${ROOT}; nothing is mounted from here, so there are no builds`,
  network: `${LOOPBACK}; network: internet takes an engine on this machine`,
};

/** `how`: control groups are written. */
function protectionsOf(how: string, isDirect: boolean): Protection[] {
  const syscalls =
    seccompProfile(process.arch, "errno") === null
      ? "the engine's default seccomp profile"
      : "seccomp profile of ours: a list of what is allowed; no tracing, io_uring, keyrings or foreign ABI; sockets of unix and internet only";
  const kept = (name: string, text: string) => ({ name, isEnforced: true, how: text });
  return [
    kept("files", ROOT),
    kept("network", LOOPBACK),
    kept("visibility", "namespaces for processes, IPC, host name, mounts and cgroups"),
    kept("tmp", "tmpfs of limited size and number of files"),
    kept("privileges", "no capabilities, no_new_privs, a user without rights"),
    kept("syscalls", syscalls),
    kept("memory", `${how}, no swap`),
    kept("processes", how),
    kept("cpu", "equal shares, each a tenth of the server's, where processors are not enough"),
    kept("freeze", isDirect ? how : "the engine's pause"),
    kept("kill", isDirect ? how : "the engine's kill"),
    kept("open-files", "rlimit; no core files"),
  ];
}
