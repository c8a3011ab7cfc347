import { ensureBubblewrap } from "./bubblewrap.mjs";
import { ensureDependencies } from "./dependencies.mjs";
import { findNode } from "./pinned-node.mjs";

/** One line of progress, on stderr: what a script prints as its result goes to stdout. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Everything the repository needs before it runs. Resolves with the path of the Node.js to use. */
export async function prepare({ isolation = true } = {}) {
  await ensureDependencies(say);
  const node = findNode();
  if (isolation) await ensureBubblewrap(say);
  return node;
}

/** Runs the main function of a script: its exit code is the process's, an error is one line. */
export async function runScript(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
