import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RunningProxy } from "./proxy-cases.ts";

const LOG_CHARS_MAX = 10_000;

/** A file of `ops/proxy` with other names, addresses and paths. Throws where one that is to be replaced does not stand in it. */
export function shippedProxyFile(name: string, replaced: readonly [string, string][]): string {
  const path = fileURLToPath(new URL(`../../../ops/proxy/${name}`, import.meta.url));
  let text = readFileSync(path, "utf8");
  for (const [from, to] of replaced) {
    if (!text.includes(from)) throw new Error(`${name} holds no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** Runs a proxy in the foreground. Throws with its log where it ends at once; `close` ends it and waits. */
export async function startProxy(command: string, args: string[]): Promise<RunningProxy> {
  const child: ChildProcess = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (text) => {
      log = (log + String(text)).slice(-LOG_CHARS_MAX);
    });
  const exited = once(child, "exit");
  await once(child, "spawn");
  void exited.then(([code]) => {
    if (code !== 0 && code !== null) process.stderr.write(`${command} ended: ${log}\n`);
  });
  return {
    async close() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
