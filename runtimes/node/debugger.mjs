import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import inspector from "node:inspector";
import { fileURLToPath } from "node:url";

const relay = fileURLToPath(new URL("debugger-relay.mjs", import.meta.url));

/**
 * Opens the inspector on the sandbox's own loopback and starts the relay between it and the host, a process of its own: at a breakpoint nothing of this one runs. With
 * `isAwaited` returns once a debugger is there. @param {import("./environment.mjs").DebugInit} debug
 */
export function openDebugger({ sockets, isAwaited }) {
  const socket = sockets.find((path) => existsSync(path));
  if (socket === undefined) throw new Error(`none of ${sockets.join(", ")} leads to the debugger`);
  inspector.open(0, "127.0.0.1", false);
  const { port } = new URL(/** @type {string} */ (inspector.url()));
  const options = { stdio: /** @type {const} */ ("ignore"), env: {} };
  // Left to its own end, which the sandbox's is at the latest.
  spawn(process.execPath, ["--max-semi-space-size=1", relay, socket, port], options).unref();
  if (isAwaited) inspector.waitForDebugger();
}
