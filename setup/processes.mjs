import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Runs a command to its end with its output on ours. Resolves with the exit code, 127 where there is no such command. */
export function runToEnd(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    child.on("error", () => resolve(127));
    child.on("close", (code, signal) => resolve(signal ? 1 : code));
  });
}

/** The same, with the output given back instead of shown. */
export function runForOutput(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        output += chunk;
      });
    }
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code, signal) => resolve({ code: signal ? 1 : code, output }));
  });
}

/**
 * Runs a server in the foreground: signals are passed on and this process waits for the other to end in its own way, so a Ctrl-C drains. The server takes a
 * signal that also reaches it through the terminal as the same one. Resolves with the exit code.
 */
export function runServer(command, args, { onMessage, ...options }) {
  return new Promise((resolve) => {
    const stdio = ["inherit", "inherit", "inherit", "ipc"];
    const child = spawn(command, args, { stdio, ...options });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => child.kill(signal));
    }
    child.on("message", (message) => onMessage(message));
    child.on("error", () => resolve(127));
    child.on("exit", (code, signal) => resolve(signal ? 1 : code));
  });
}

/** Full path of a command on PATH, or null. */
export function findCommand(name, path = process.env.PATH ?? "") {
  for (const dir of path.split(delimiter)) {
    const candidate = join(dir, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // not here: the next folder may have it
    }
  }
  return null;
}

/** The environment in which `node` and the tools of this repository are found first. */
export function toolEnvironment(node, rootDir) {
  const path = [dirname(node), join(rootDir, "node_modules", ".bin"), process.env.PATH ?? ""];
  return { ...process.env, PATH: path.join(delimiter) };
}
