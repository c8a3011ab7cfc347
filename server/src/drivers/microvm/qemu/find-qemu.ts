import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { messageOf } from "../../../errors.ts";
import { findProgram } from "../../find-program.ts";

const NAME = "qemu-system-x86_64";
const QUESTION_MS_MAX = 10_000;
/** The first that goes on from a state that is handed to it as a descriptor, within its own seccomp filter, and was tried. */
const VERSION_LEAST = [7, 2] as const;

export interface Qemu {
  path: string;
  /** `7.2.22` */
  version: string;
}

export interface QemuFound {
  qemu: Qemu | null;
  problems: string[];
  fixes: string[];
}

const install = "apt-get install --no-install-recommends qemu-system-x86 seabios";

/** The QEMU of this machine, or why there is none that does. */
export async function findQemu(path: string | null = findProgram(NAME)): Promise<QemuFound> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    const problem = `microVMs run on Linux on x64 alone, not on ${process.platform}-${process.arch}`;
    return { qemu: null, problems: [problem], fixes: [] };
  }
  const none = (problem: string) => ({ qemu: null, problems: [problem], fixes: [install] });
  if (path === null) return none(`${NAME} is not installed`);
  try {
    const options = { timeout: QUESTION_MS_MAX, env: {} };
    const { stdout: said } = await promisify(execFile)(path, ["--version"], options);
    const [, version = "unknown"] = /version (\d+\.\d+(?:\.\d+)?)/.exec(said) ?? [];
    if (!isEnough(version))
      return none(`${path} is QEMU ${version}; ${VERSION_LEAST.join(".")} or newer is needed`);
    return { qemu: { path, version }, problems: [], fixes: [] };
  } catch (error) {
    return none(`${path} does not run: ${messageOf(error)}`);
  }
}

function isEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [majorLeast, minorLeast] = VERSION_LEAST;
  return major > majorLeast || (major === majorLeast && minor >= minorLeast);
}

/**
 * How fast the time stamp counter counts, in kHz; null where nothing says it. An emulated machine has the processor's own, and no other clock by which it could
 * find that out on a busy host. Where the processor changes its speed, the speed of the moment is no answer, but its nominal one is.
 */
export function timeStampKhz(
  read: (path: string) => string = (path) => readFileSync(path, "latin1"),
  exists: (path: string) => boolean = existsSync,
): number | null {
  const frequency = "/sys/devices/system/cpu/cpu0/cpufreq";
  try {
    if (exists(`${frequency}/base_frequency`)) return Number(read(`${frequency}/base_frequency`));
    const cpu = read("/proc/cpuinfo");
    const [, nominal] = /^model name\s*:.*@ (\d+\.\d+)GHz/m.exec(cpu) ?? [];
    if (exists(frequency)) return nominal === undefined ? null : Number(nominal) * 1e6;
    const [, now] = /^cpu MHz\s*:\s*(\d+\.\d+)/m.exec(cpu) ?? [];
    return now === undefined ? null : Math.round(Number(now) * 1000);
  } catch {
    return null; // no such kernel: the guest measures by itself
  }
}
