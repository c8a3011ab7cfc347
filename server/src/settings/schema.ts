import { costSettings } from "./cost-settings.ts";
import { keptSettings } from "./kept-settings.ts";
import { prometheusSettings } from "./prometheus-settings.ts";
import { proxySettings } from "./proxy-settings.ts";
import type { SettingSpec } from "./setting-spec.ts";
import { traceSettings } from "./trace-settings.ts";

/** Every setting of the server. Flags, environment variables, the settings file and docs/settings.md are made from this table. */
export const settingSpecs = {
  data: {
    kind: "path",
    default: "data",
    shown: "`data` in the current folder",
    help: "Folder that holds everything the server keeps",
  },
  gatewayHost: {
    kind: "host",
    default: "127.0.0.1",
    help: "Address on which functions are called",
  },
  gatewayPort: {
    kind: "integer",
    least: 0,
    most: 65_535,
    default: 8080,
    help: "Port on which functions are called; 0 takes any free one",
  },
  connectionsMax: {
    kind: "integer",
    least: 1,
    most: 1_000_000,
    default: 10_000,
    help: "Connections of callers open at once; further ones are closed without an answer",
  },
  headersTimeoutMs: {
    kind: "integer",
    least: 100,
    most: 600_000,
    default: 15_000,
    help: "How long a caller may take to send the headers of a request",
  },
  callerStallTimeoutMs: {
    kind: "integer",
    least: 100,
    most: 900_000,
    default: 60_000,
    help: "How long a caller may neither send of a body nor take of an answer that waits for it",
  },
  keepAliveTimeoutMs: {
    kind: "integer",
    least: 100,
    most: 900_000,
    default: 65_000,
    help: "How long a connection of a caller may be idle between two requests",
  },
  controlHost: {
    kind: "host",
    default: "127.0.0.1",
    help: "Address of the API; keep it on loopback unless TLS stands before it",
  },
  controlPort: {
    kind: "integer",
    least: 0,
    most: 65_535,
    default: 8081,
    help: "Port of the API; 0 takes any free one",
  },
  ...proxySettings,
  acceptNoIsolation: {
    kind: "boolean",
    default: false,
    help: "Run functions as ordinary child processes where this machine offers no isolation",
  },
  acceptProjectsOnProcess: {
    kind: "boolean",
    default: false,
    help: "Let the driver `process`, which is no boundary against attackers, serve more than one project",
  },
  debugger: {
    kind: "boolean",
    default: false,
    help: "Let keys that may deploy attach a debugger to functions (docs/debugging.md); for development",
  },
  memoryBudgetMiB: {
    kind: "integer",
    least: 128,
    most: 16_777_216,
    default: "70% of memory",
    help: "Memory that all sandboxes together may reserve",
  },
  blankNodejs: {
    kind: "integer",
    least: 0,
    most: 1000,
    default: 2,
    help: "Booted Node.js sandboxes kept ready for any function; 0 keeps none",
  },
  blankPython: {
    kind: "integer",
    least: 0,
    most: 1000,
    default: 2,
    help: "Booted Python sandboxes kept ready for any function; 0 keeps none",
  },
  queueLengthMax: {
    kind: "integer",
    least: 1,
    most: 1_000_000,
    default: 1000,
    help: "Calls of one function that may wait for a sandbox; more get `too_many_requests`",
  },
  invocationsMax: {
    kind: "integer",
    least: 1,
    most: 1_000_000,
    default: 10_000,
    help: "Calls of all functions at once, running and waiting; more get `too_many_requests`",
  },
  blankQuietMs: {
    kind: "integer",
    least: 1000,
    most: 86_400_000,
    default: 900_000,
    help: "After this long without a start no blank sandbox is kept until the next one",
  },
  timeoutMsMax: {
    kind: "integer",
    least: 1,
    most: 900_000,
    default: 900_000,
    help: "Highest `timeoutMs` that a function may be deployed with; where none is asked for, its default is lowered to this",
  },
  drainTimeoutMs: {
    kind: "integer",
    least: 0,
    most: 900_000,
    default: 30_000,
    help: "How long running calls may finish when the server stops",
  },
  ...keptSettings,
  ...prometheusSettings,
  logLevel: {
    kind: "choice",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    default: "info",
    help: "Least level of the server's own log, which goes to stderr",
  },
  defaultDriver: {
    kind: "choice",
    choices: ["auto", "process", "docker", "gvisor", "microvm"],
    default: "auto",
    help: "Isolation technology of functions that name none, in projects that name none; auto: docker where an engine answers, else process",
  },
  buildRegistries: {
    kind: "registries",
    default: ["registry.npmjs.org", "pypi.org", "files.pythonhosted.org"],
    help: "Package registries that builds may reach, and nothing else; by TLS on port 443 unless it says `http://` or another port",
  },
  buildPrivateRegistries: {
    kind: "registries",
    default: [],
    help: "Further registries, which may have private, loopback or link-local addresses",
  },
  npmRegistry: {
    kind: "url",
    default: null,
    shown: "npm's own",
    help: "Registry that npm installs from in builds; its host must be one that builds may reach",
  },
  pipIndexUrl: {
    kind: "url",
    default: null,
    shown: "PyPI",
    help: "Index that pip installs from in builds; its host must be one that builds may reach",
  },
  buildTimeoutMs: {
    kind: "integer",
    least: 1000,
    most: 900_000,
    default: 300_000,
    help: "Longest run of one build",
  },
  buildMemoryMiB: {
    kind: "integer",
    least: 256,
    most: 10_240,
    default: 1024,
    help: "Memory of one build, what it writes to disk included; part of `memoryBudgetMiB` while it runs",
  },
  layersKeptMiB: {
    kind: "integer",
    least: 0,
    most: 16_777_216,
    default: 4096,
    help: "Disk space for dependencies kept for later builds, beside those that a revision has; the longest unused go first",
  },
  python: {
    kind: "path",
    default: null,
    shown: "`/usr/bin/python3`, else the first `python3` of `PATH` that is new enough",
    help: "Python interpreter for Python functions",
  },
  dockerHost: {
    kind: "engine",
    default: "unix:///var/run/docker.sock",
    shown: "`DOCKER_HOST`, else `unix:///var/run/docker.sock`",
    help: "Docker Engine for the images and sandboxes of the `docker` driver; its TLS is set as for `docker` itself (`DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`)",
  },
  gvisorMode: {
    kind: "choice",
    choices: ["auto", "engine", "standalone"],
    default: "auto",
    help: "What runs the sandboxes of the `gvisor` driver: the Docker Engine, or this server with `runsc` alone; auto: the engine where it has a runtime that fits, else alone",
  },
  gvisorRuntime: {
    kind: "runtime",
    default: null,
    shown: "the one that is `runsc` and fits",
    help: "Runtime of the Docker Engine for the sandboxes of the `gvisor` driver, by its name there",
  },
  gvisorRunsc: {
    kind: "path",
    default: null,
    shown: "`runsc` where system programs are",
    help: "Program of gVisor for the `gvisor` driver without an engine",
  },
  gvisorPlatform: {
    kind: "choice",
    choices: ["auto", "systrap", "kvm", "ptrace"],
    default: "auto",
    help: "How gVisor comes to system calls, for the `gvisor` driver without an engine; auto: the first on which a sandbox was seen to run, of KVM where nothing virtual is below, systrap, and ptrace, which is the slowest",
  },
  gvisorSnapshotsMiBMax: {
    kind: "integer",
    least: 0,
    most: 16_777_216,
    default: 1024,
    help: "Disk space for snapshots from which sandboxes of the `gvisor` driver without an engine start faster; the longest unused go first, 0 takes none",
  },
  vmAccelerator: {
    kind: "choice",
    choices: ["auto", "kvm", "emulation"],
    default: "auto",
    help: "What runs the machines of the `microvm` driver: the processor's own virtualisation, or software about twenty times slower; auto: KVM where a guest was seen to boot with it",
  },
  vmm: {
    kind: "choice",
    choices: ["auto", "firecracker", "qemu"],
    default: "auto",
    help: "What runs the machines of the `microvm` driver; auto: Firecracker where it is installed and a guest was seen to boot with it, else QEMU. Firecracker has no other way than KVM",
  },
  vmFirecracker: {
    kind: "path",
    default: null,
    shown: "`firecracker` where system programs are",
    help: "Program of Firecracker; the jailer of the same release stands beside it",
  },
  vmSnapshotsMiBMax: {
    kind: "integer",
    least: 0,
    most: 16_777_216,
    default: 4096,
    help: "Disk space for snapshots from which machines of the `microvm` driver start faster; the longest unused go first, 0 takes none",
  },
  egressAllowed: {
    kind: "ranges",
    default: [],
    help: "Private addresses that functions with `network: internet` may reach all the same",
  },
  egressResolvers: {
    kind: "addresses",
    default: [],
    shown: "those of the machine, without its loopback",
    help: "Name servers for functions with `network: internet`, which may have private addresses",
  },
  dockerBaseNodejs: {
    kind: "image",
    default: null,
    shown: "`node:<major>-slim`, or what `isola images build --offline` made",
    help: "Image with Node.js on which the image of Node.js sandboxes is built",
  },
  dockerBasePython: {
    kind: "image",
    default: null,
    shown: "`python:<minor>-slim`, or what `isola images build --offline` made",
    help: "Image with Python on which the image of Python sandboxes is built",
  },
  vmKernel: {
    kind: "path",
    default: null,
    shown:
      "one that `isola vm build --kernel` has built, else that of the package `linux-image-cloud-*` of Debian",
    help: "Kernel of microVMs: a bzImage or an ELF file that has built in, or in `/lib/modules`, what images/microvm/README.md names",
  },
  vmKernelSource: {
    kind: "path",
    default: null,
    shown: "the package `linux-source-6.1` of Debian",
    help: "Source of Linux 6.1 of which `isola vm build --kernel` builds the kernel of microVMs: a tar archive, or an unpacked folder. Whoever wrote it runs code as the server's user",
  },
  ...costSettings,
  ...traceSettings,
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof settingSpecs;
export const settingNames = Object.keys(settingSpecs) as SettingName[];

type ValueOf<S extends SettingSpec> = S extends { kind: "integer" | "decimal" }
  ? number
  : S extends { kind: "boolean" }
    ? boolean
    : S extends { kind: "hosts" | "ranges" | "addresses" | "networks" | "registries" }
      ? readonly string[]
      : S extends { kind: "choice"; choices: readonly (infer C)[] }
        ? C
        : S extends { kind: "headers" }
          ? Readonly<Record<string, string>>
          : S extends { kind: "path" | "image" | "runtime"; default: null }
            ? string | null
            : string;

/** Every setting with its value. Paths are absolute; `publicUrl` is always set and has no trailing slash. */
export type SettingValues = {
  readonly [N in SettingName]: N extends "npmRegistry" | "pipIndexUrl" | "tracesEndpoint"
    ? string | null
    : ValueOf<(typeof settingSpecs)[N]>;
};

/** `memoryBudgetMiB` -> `["memory", "budget", "mib"]` */
function wordsOf(name: string): string[] {
  return name
    .replace("MiB", "Mib")
    .split(/(?=[A-Z])/)
    .map((word) => word.toLowerCase());
}

/** `memoryBudgetMiB` -> `ISOLA_MEMORY_BUDGET_MIB` */
export function envNameOf(name: string): string {
  return `ISOLA_${wordsOf(name).join("_").toUpperCase()}`;
}

/** `memoryBudgetMiB` -> `--memory-budget-mib` */
export function flagNameOf(name: string): string {
  return `--${wordsOf(name).join("-")}`;
}

/** The default as a person reads it. */
export function shownDefault(spec: SettingSpec): string {
  if ("shown" in spec && spec.shown !== undefined) return spec.shown;
  if (spec.default === "70% of memory") return "70 % of the memory this machine or container has";
  if (
    ["hosts", "ranges", "addresses", "networks", "registries"].includes(spec.kind) &&
    Array.isArray(spec.default)
  )
    return spec.default.length === 0 ? "none" : spec.default.join(", ");
  return String(spec.default as string | number | boolean | null);
}

/** What a setting takes, in words; the `expected` of a problem. */
export function expectedOf(spec: SettingSpec): string {
  switch (spec.kind) {
    case "integer":
      return `a whole number from ${spec.least} to ${spec.most}`;
    case "decimal":
      return `a number from ${spec.least} to ${spec.most}`;
    case "currency":
      return "three capital letters, like USD";
    case "headers":
      return "`name=value` pairs, divided by commas, values percent-encoded";
    case "name":
      return "a name of at most 255 characters";
    case "boolean":
      return "true or false";
    case "choice":
      return `one of ${spec.choices.join(", ")}`;
    case "host":
      return "a host name or IP address, without port";
    case "hosts":
      return "host names, divided by commas";
    case "addresses":
      return "IPv4 addresses, divided by commas";
    case "ranges":
      return "IPv4 addresses or ranges like 10.1.2.0/24, divided by commas";
    case "networks":
      return "IP addresses or ranges like 10.1.2.0/24 or fd00::/8, divided by commas";
    case "registries":
      return "hosts, each with or without `http://` before and `:port` behind it, divided by commas";
    case "path":
      return "a path";
    case "url":
      return "an http or https URL without query";
    case "engine":
      return "unix:///path, tcp://host:port or https://host:port";
    case "image":
      return "a reference of an image, like node:26-slim";
    case "runtime":
      return "a name that `docker info` lists";
  }
}
