import { fileURLToPath } from "node:url";
import { runProgram } from "./program.ts";

const argv = process.argv.slice(2);
const stopping = new AbortController();
// `up` passes signals on to the server and waits for it; every other command is given up.
if (argv[0] !== "up") process.once("SIGINT", () => stopping.abort());

process.exitCode = await runProgram(argv, {
  env: process.env,
  cwd: process.cwd(),
  checkoutData: fileURLToPath(new URL("../../data", import.meta.url)),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stopping.signal,
});
