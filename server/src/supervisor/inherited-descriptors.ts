import { closeSync, readFileSync, readdirSync } from "node:fs";

/** Of `flags` in /proc/self/fdinfo, on every architecture that Node.js is made for. */
const CLOSE_ON_EXEC = 0o2000000;
const STANDARD_MOST = 2;

/**
 * Closes what whoever started this process left open in it beside the standard three, as every child would get it, sandboxes too. What the process has opened itself, or was given by Node.js, is
 * closed in children anyway and stays. Does nothing where there is no /proc.
 */
export function closeInherited(): void {
  for (const descriptor of descriptors())
    if (descriptor > STANDARD_MOST && reachesChildren(descriptor)) closeSync(descriptor);
}

function descriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch {
    return []; // not Linux
  }
}

function reachesChildren(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(
      readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"),
    )?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // it was that of the listing, and is closed
  }
}
