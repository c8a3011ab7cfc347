import { closeSync, constants, openSync } from "node:fs";

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/**
 * Takes the pipes on descriptors 0 and 1 for the control stream: they go on under other numbers, 0 becomes /dev/null and 1 what 2 is. Node cannot duplicate a
 * descriptor; Linux opens the same pipe once more by its name below /proc. Called before anything else has looked at 0 and 1.
 * @returns {{input: number, output: number}} closed in child processes
 */
export function takeStdio() {
  const input = openSync("/proc/self/fd/0", O_RDONLY | O_NONBLOCK);
  const output = openSync("/proc/self/fd/1", O_WRONLY | O_NONBLOCK);
  replace(0, "/dev/null", O_RDONLY);
  replace(1, "/proc/self/fd/2", O_WRONLY);
  return { input, output };
}

/** A file that is opened gets the lowest number that is free. @param {number} fd @param {string} path @param {number} flags */
function replace(fd, path, flags) {
  closeSync(fd);
  const opened = openSync(path, flags);
  if (opened !== fd) throw new Error(`${path} was opened as ${opened}, not as ${fd}`);
}
