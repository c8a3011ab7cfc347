import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../command.ts";
import { DEV_FOLDER } from "../deploy/package-files.ts";

const entry = fileURLToPath(new URL("./server-of-parent.ts", import.meta.url));
const GATEWAY_PORT = 8080;
const CONTROL_PORT = 8081;
/** What runs when it is over is the person's own. */
const DRAIN_MS = 1000;
const SAID_LINES = 5;
/** Of earlier runs. */
const LOG_BYTES_MAX = 1_048_576;
/** The server's own exit code where its data folder is in use. */
const LOCKED = 3;

/** A server that lives as long as this command: `starting -> running -> ended`. */
export interface OwnServer {
  /** Of the API. */
  url: string;
  apiKey: string;
  /** Resolves when it has ended, whatever ended it. */
  ended: Promise<void>;
  /** Idempotent; resolves when nothing of it runs. */
  close(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** Where a project keeps the server of `isola dev`. */
export function devDataOf(folder: string): string {
  return join(folder, DEV_FOLDER, "data");
}

/**
 * Starts one in `.isola` below `folder`, on the usual ports where both are free, else on any; null: another process has just started one there. Rejects with what it said where it
 * does not start, and then nothing of it is left.
 */
export async function startOwnServer(
  folder: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<OwnServer | null> {
  const logPath = prepare(folder);
  const data = devDataOf(folder);
  const areFree = (await isFree(GATEWAY_PORT)) && (await isFree(CONTROL_PORT));
  signal.throwIfAborted();
  const args = [
    ...["--data", data, "--log-level", "warn", "--drain-timeout-ms", String(DRAIN_MS)],
    ...["--gateway-port", String(areFree ? GATEWAY_PORT : 0)],
    ...["--control-port", String(areFree ? CONTROL_PORT : 0)],
  ];
  const log = openSync(logPath, "a", 0o600);
  // A group of its own: a Ctrl-C at the terminal is for this command, which ends the server in its turn.
  const child = spawn(process.execPath, [entry, ...args], {
    // It is for development.
    env: { ISOLA_DEBUGGER: "true", ...env },
    cwd: folder,
    detached: true,
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  const ended = once(child, "exit").then(() => {});
  const close = () => end(child, ended);
  const ready = once(child, "message", { signal }).then(([message]) => message as { api: string });
  const started = await Promise.race([ready, ended.then(() => null)]).catch(async (error) => {
    await close();
    throw error;
  });
  if (started === null && child.exitCode === LOCKED) return null;
  if (started === null) throw new Failure(`the server did not start:\n  ${lastLines(logPath)}`);
  const apiKey = readFileSync(join(data, "admin-key"), "utf8").trim();
  return { url: started.api, apiKey, ended, close, kill: () => void child.kill("SIGTERM") };
}

/** Makes the folder, which git is told to leave alone; resolves with the path of the log. */
function prepare(folder: string): string {
  const own = join(folder, DEV_FOLDER);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const ignore = join(own, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
  const log = join(own, "server.log");
  // Another may be writing to a small one.
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) rmSync(log);
  return log;
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  await ended;
}

function lastLines(path: string): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-SAID_LINES).join("\n  ");
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  const answer = await listening;
  if (answer) await new Promise((resolve) => server.close(resolve));
  return answer;
}
