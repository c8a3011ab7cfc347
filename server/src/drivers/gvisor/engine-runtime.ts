import { basename } from "node:path";
import { findProgram } from "../find-program.ts";
import type { EngineFacts } from "../docker/containers.ts";
import type { EngineRuntime } from "../docker/flavour.ts";

/** The name that the fix registers. */
const NAME = "runsc";
const SHIM = "io.containerd.runsc.v1";
/** With these, and only with them: the control socket is the only way out, and the seccomp profile holds inside. */
const required: Record<string, string> = {
  ...{ network: "none", "host-uds": "open", "oci-seccomp": "true" },
};
/** Flags that take protection away, write what functions do to files of the host, or let a container choose flags. */
const refused = [
  ...["TESTONLY-unsafe-nonroot", "TESTONLY-afs-syscall-panic", "allow-flag-override", "profile"],
  ...["debug", "strace", "log-packets", "nvproxy", "tpuproxy", "fsgofer-host-uds", "net-raw"],
  ...["iouring", "ignore-cgroups", "host-fifo", "rootless"],
];
const off = ["false", "0", "none"];

export interface FoundRuntime {
  name: string;
  path: string;
  platform: string;
}

/** The engine's runtime that is gVisor and fits. Otherwise what is in the way, and the commands that help. */
export function findRuntime(
  { runtimes }: Pick<EngineFacts, "runtimes">,
  wanted: string | null,
): { found: FoundRuntime | null; problems: string[]; fixes: string[] } {
  const candidates = candidatesOf(runtimes, wanted);
  if (candidates.length === 0) {
    const names = [...runtimes.keys()].filter((name) => !name.startsWith("io.")).join(", ");
    const what = wanted === null ? "gVisor's runsc" : `${wanted}, which gvisorRuntime names`;
    return missing(`the engine has no runtime ${what}; it has ${names || "none"}`, wanted);
  }
  const judged = candidates.map(([name, runtime]) => ({ name, runtime, is: judge(runtime) }));
  const fitting = judged.find(({ is }) => is.length === 0);
  if (fitting === undefined) {
    const [first] = judged as [(typeof judged)[number]];
    return missing(`the engine's runtime ${first.name} ${first.is.join(", and ")}`, first.name);
  }
  const { name, runtime } = fitting;
  const platform = flagsOf(runtime.args).get("platform") ?? "its default";
  return { found: { name, path: runtime.path as string, platform }, problems: [], fixes: [] };
}

function candidatesOf(
  runtimes: EngineFacts["runtimes"],
  wanted: string | null,
): [string, EngineRuntime][] {
  const all = [...runtimes];
  if (wanted !== null) return all.filter(([name]) => name === wanted);
  return all.filter(
    ([name, { path, type }]) => name === NAME || basename(path ?? "") === NAME || type === SHIM,
  );
}

/** What does not fit, each as the rest of a sentence. */
function judge({ path, args }: EngineRuntime): string[] {
  if (path === null) return ["is a shim, whose flags cannot be seen"];
  const flags = flagsOf(args);
  const lacks = Object.entries(required)
    .filter(([name, value]) => flags.get(name) !== value)
    .map(([name, value]) => `is without --${name}=${value}`);
  const extra = refused
    .filter((name) => flags.has(name) && !off.includes(flags.get(name) as string))
    .map((name) => `has --${name}`);
  return [...lacks, ...extra];
}

/** As Go reads them: one dash or two, `name=value` or, for all but switches, the value as the next argument. The last one counts. */
export function flagsOf(args: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (let at = 0; at < args.length; at += 1) {
    const [, name, , value] = /^--?([^=-][^=]*)(=(.*))?$/s.exec(args[at] as string) ?? [];
    if (name === undefined) continue;
    const next = args[at + 1];
    if (value !== undefined) flags.set(name, value);
    else if (next !== undefined && !next.startsWith("-")) flags.set(name, next);
    else flags.set(name, "true");
  }
  return flags;
}

function missing(problem: string, name: string | null) {
  const path = findProgram(NAME);
  const flags = Object.entries(required).map(([flag, value]) => `--${flag}=${value}`);
  const register = `runsc install --runtime=${name ?? NAME} -- ${flags.join(" ")} --platform=systrap && systemctl reload docker`;
  const install =
    "apt-get install runsc (Debian: -t bookworm-backports or newer), or https://gvisor.dev/docs/user_guide/install/";
  return {
    found: null,
    problems: [problem],
    fixes: path === null ? [install, register] : [register],
  };
}
