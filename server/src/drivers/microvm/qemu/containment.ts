import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { messageOf } from "../../../errors.ts";
import { findProgram } from "../../find-program.ts";
import { hostView } from "../../../images/host-view.ts";
import { sharedLibraries } from "../../../images/shared-libraries.ts";
import { callFilter } from "./call-filter.ts";
import type { Qemu } from "./find-qemu.ts";

const TRIAL_MS_MAX = 10_000;
/** A user without rights. */
const TRIAL_USER = 65_534;
/** Firmware, and what QEMU loads of itself. */
const firmware = ["/usr/share/qemu", "/usr/share/seabios"];

/** What stands before QEMU's command line, so that QEMU itself can reach little. */
export interface Containment {
  /** `filter`: the descriptor at which the filter is read, where there is one. */
  prefix(filter: number): readonly string[];
  /** Of system calls, to its end. null: without a view of its own there is no filter either. */
  filter: Buffer | null;
  /** Without a view of its own: QEMU dies with the server, where that can be had. */
  plain: readonly string[];
  /** Why there is no view of its own; null: it has one. */
  problem: string | null;
}

/**
 * Namespaces with a view of QEMU and its libraries alone, where bubblewrap works for a user without rights; else QEMU sees of the host's files what its user may.
 * `device`: the accelerator's; null: none.
 */
export async function findContainment(
  qemu: Qemu,
  { isLeftOut, device }: { isLeftOut: boolean; device: string | null },
): Promise<Containment> {
  const plain = plainPrefix();
  const none = (problem: string) => ({ prefix: () => plain, filter: null, plain, problem });
  if (isLeftOut) return none("left out by a test");
  const bwrap = findProgram("bwrap");
  if (bwrap === null) return none("bubblewrap (bwrap) is not installed");
  try {
    const view = hostView([qemu.path, ...(await sharedLibraries([qemu.path])), ...firmware]);
    const filter = callFilter();
    const views = viewArgs(view, device);
    const prefix = (at: number) => [bwrap, "--seccomp", String(at), ...views];
    await tryIt([...prefix(0), qemu.path, "--version"], filter);
    return { prefix, filter, plain, problem: null };
  } catch (error) {
    return none(`bubblewrap does not work here: ${messageOf(error)}`);
  }
}

/** With the filter at descriptor 0. */
async function tryIt([program = "", ...args]: string[], filter: Buffer): Promise<void> {
  const user = process.getuid?.() === 0 ? { uid: TRIAL_USER, gid: TRIAL_USER } : {};
  const how = { timeout: TRIAL_MS_MAX, env: {}, cwd: "/", ...user };
  const trial = promisify(execFile)(program, args, how);
  trial.child.stdin?.end(filter);
  await trial;
}

function viewArgs({ links, binds }: ReturnType<typeof hostView>, device: string | null): string[] {
  return [
    ...["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"],
    ...["--unshare-cgroup", "--uid", "65534", "--gid", "65534", "--hostname", "vmm"],
    ...["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--clearenv"],
    ...links.flatMap(([target, path]) => ["--symlink", target, path]),
    ...binds.flatMap((path) => ["--ro-bind", path, path]),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...(device === null ? [] : ["--dev-bind", device, device]),
    ...["--remount-ro", "/", "--chdir", "/", "--"],
  ];
}

/** A sweep finds what outlives the server where there is no such program. */
function plainPrefix(): string[] {
  const setpriv = findProgram("setpriv");
  return setpriv === null ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
}
