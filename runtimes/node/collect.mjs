import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects all garbage and gives its pages back to the machine: left alone, V8 keeps them. Blocks for about 10 ms, more with a large heap. Code that has not run
 * lately is forgotten and compiled again when it is needed.
 */
export function collectGarbage() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  // No context that the function makes is to have it.
  setFlagsFromString("--no-expose-gc");
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
