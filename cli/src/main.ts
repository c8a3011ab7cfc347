import { fileURLToPath } from "node:url";
import { exitCodes } from "./command.ts";
import { runProgram } from "./program.ts";

const argv = process.argv.slice(2);
const stopping = new AbortController();
let signals = 0;
// `up` passes signals on to the server and waits for it; every other command is given up.
if (argv[0] !== "up") process.on("SIGINT", stop);

// A reader that has seen enough (`isola logs | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

/** One Ctrl-C reaches this process twice: from the terminal, and from isola.mjs, which passes it on. What comes after that ends what does not give up. */
function stop(): void {
  signals += 1;
  stopping.abort();
  if (signals > 2) process.exit(exitCodes.interrupted);
}

process.exitCode = await runProgram(argv, {
  env: process.env,
  cwd: process.cwd(),
  checkoutData: fileURLToPath(new URL("../../data", import.meta.url)),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stopping.signal,
});
