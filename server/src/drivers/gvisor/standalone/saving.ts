import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { launch } from "../../children/launch.ts";
import type { Snapshot } from "../../snapshots.ts";
import { stateDirOf } from "./bundle.ts";
import { logOf, runscCommand } from "./runsc-command.ts";
import type { StandaloneContext, StartedStandalone } from "./start-standalone.ts";

const LOOK_MS = 10;
/** From the start of a `runsc` to what it is to have done, on a busy machine. */
const DONE_MS_MAX = 20_000;
const TEXT_CHARS_MAX = 400;

/** Resolves when gVisor's kernel runs what it was to boot or to go on with. Rejects when it has ended before, or does not come to it. To be called before the child's end can have been told. */
export async function untilRunning(
  { mark, child, folder }: StartedStandalone,
  signal: AbortSignal,
): Promise<void> {
  const path = join(stateDirOf(folder), `${mark}_sandbox:${mark}.state`);
  let said = "";
  // Before the others who hear of it: what is in the folder goes with the sandbox.
  const listen = () => {
    said = logIn(folder);
  };
  child.prependOnceListener("exit", listen);
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(DONE_MS_MAX)]);
  try {
    while (!hasEnded(child)) {
      if (await isRunning(path)) return;
      if (giveUp.aborted) throw new Error("it did not run in time");
      await delay(LOOK_MS);
    }
    throw new Error(`it ended with ${endOf(child)}${said}`);
  } finally {
    child.off("exit", listen);
  }
}

/** Not there before the kernel is, and in the middle of being written it is no JSON. */
async function isRunning(path: string): Promise<boolean> {
  try {
    return JSON.parse(await readFile(path, "utf8")).status === "running";
  } catch {
    return false;
  }
}

/** Saves a sandbox as it stands into the folder `saved`, and has it end. Rejects where that fails: it is to be killed then. */
export async function saveSandbox(
  { runsc, platform }: StandaloneContext,
  { mark, cgroup, folder }: StartedStandalone,
  { saved, signal }: { saved: string; signal: AbortSignal },
): Promise<Snapshot> {
  const deed = { name: "checkpoint", saved } as const;
  const child = launch({
    ...{ filter: null, hostUser: null, processesMax: null, isGroupLeader: false },
    streams: { stdout: "ignore", stderr: "pipe", control: "ignore" },
    command: runscCommand({ path: runsc, platform, folder, mark, hasSockets: false, deed }),
    env: {},
    entries: cgroup.openEntries(),
    cwd: "/",
  });
  const text = textOf(child.stderr as Readable);
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(DONE_MS_MAX)]);
  const kill = () => child.kill("SIGKILL");
  giveUp.addEventListener("abort", kill);
  try {
    await once(child, "close");
    if (child.exitCode !== 0)
      throw new Error(`runsc checkpoint ended with ${endOf(child)}${logIn(folder)} ${text()}`);
  } finally {
    giveUp.removeEventListener("abort", kill);
  }
  return { folder: saved, files: (await readdir(saved)).toSorted() };
}

/** What comes from it, bounded. */
export function textOf(stream: Readable): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    if (text.length < TEXT_CHARS_MAX) text += chunk.toString("latin1");
  });
  return () => text.trim().slice(0, TEXT_CHARS_MAX);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function endOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode ?? `status ${exitCode}`;
}

/** What `runsc` has to say; empty where that is nothing. */
function logIn(folder: string): string {
  try {
    const said = readFileSync(logOf(folder), "latin1").trim();
    return said === "" ? "" : `: ${said.slice(-TEXT_CHARS_MAX)}`;
  } catch {
    return "";
  }
}
