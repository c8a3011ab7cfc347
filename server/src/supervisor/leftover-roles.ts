import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RoleName } from "../config.ts";

const names: readonly RoleName[] = ["gateway", "control"];
const END_STEP_MS = 10;
const END_STEPS_MAX = 500;

/**
 * Writes down which process plays a role. A role ends by itself when its supervisor was killed, unless it is stopped or blocked just then: the next start of the
 * server finds it by this note.
 */
export function noteRole(runDir: string, name: RoleName, pid: number): void {
  const mark = markOf(pid);
  if (mark === null) return;
  try {
    writeFileSync(noteOf(runDir, name), `${pid} ${mark}\n`, { mode: 0o600 });
  } catch {
    // A full disk: without the note, a role that is left behind has to end by itself.
  }
}

/** Kills what an earlier life of this data folder left running; resolves with the roles that were killed. */
export async function endLeftoverRoles(runDir: string): Promise<RoleName[]> {
  const ended: RoleName[] = [];
  for (const name of names) {
    const note = noteOf(runDir, name);
    const [, pid, mark] = /^(\d+) (\S+)\n$/.exec(readOr(note, "")) ?? [];
    if (mark !== undefined && (await end(Number(pid), mark))) ended.push(name);
    rmSync(note, { force: true });
  }
  return ended;
}

async function end(pid: number, mark: string): Promise<boolean> {
  if (markOf(pid) !== mark) return false;
  for (let step = 0; step < END_STEPS_MAX && markOf(pid) === mark; step += 1) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      break; // it has just ended
    }
    await delay(END_STEP_MS);
  }
  return true;
}

/** What tells a process from a later one with the same number: the machine's boot and the process's start. null: it has ended, or this is not Linux. */
function markOf(pid: number): string | null {
  const stat = readOr(`/proc/${pid}/stat`, "");
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTicks = fields[18];
  if (startTicks === undefined || state === "Z") return null;
  return `${readOr("/proc/sys/kernel/random/boot_id", "").trim()}:${startTicks}`;
}

function noteOf(runDir: string, name: RoleName): string {
  return join(runDir, `${name}.pid`);
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
