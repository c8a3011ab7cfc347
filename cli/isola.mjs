#!/usr/bin/env node
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findNode } from "../setup/pinned-node.mjs";

// The `isola` command under any Node.js >= 20: hands over to the Node.js that runs the sources.
const program = fileURLToPath(new URL("src/main.ts", import.meta.url));
try {
  const child = spawn(findNode(), [program, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    process.exitCode = signal ? 1 : code;
  });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
