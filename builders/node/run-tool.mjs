import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { BuildFailure } from "./failure.mjs";

const TAIL_LINES = 50;
const TAIL_LINE_CHARS = 500;

/**
 * Runs a program to its end; what it writes are log lines. Rejects with `BuildFailure` where it fails.
 * @param {{name: string, program: string, args: string[], cwd: string, env?: Record<string, string>, noise?: RegExp}} tool `noise`: the line where what it says of a failure ends
 */
export async function runTool({ name, program, args, cwd, env = {}, noise }) {
  /** @type {string[]} */
  const tail = [];
  let isNoise = false;
  const child = spawn(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: tmpdir(),
      TMPDIR: tmpdir(),
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      ...env,
    },
  });
  const say = (/** @type {string} */ line) => {
    console.log(line);
    if (isNoise || noise?.test(line)) {
      isNoise = true;
      return;
    }
    tail.push(line.slice(0, TAIL_LINE_CHARS));
    if (tail.length > TAIL_LINES) tail.shift();
  };
  createInterface({ input: child.stdout }).on("line", say);
  createInterface({ input: child.stderr }).on("line", say);
  const status = await new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new BuildFailure(`${name} cannot run: ${error.message}`)));
    child.on("close", (code, signal) => resolve(signal ?? code));
  });
  if (status === 0) return;
  const how =
    typeof status === "string" ? `was ended by ${status}` : `failed with status ${status}`;
  throw new BuildFailure(`${name} ${how}`, tail);
}
