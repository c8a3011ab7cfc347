import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { defaultHandlers } from "../domain/limits.ts";

const root = fileURLToPath(new URL("../../../probes", import.meta.url));
const probes = {
  nodejs: { folder: "node", name: "index.mjs" },
  python: { folder: "python", name: "app.py" },
} as const;

/** The platform's own functions that do a fixed amount of work: the code for a runtime of this family, and its handler. */
export function probeFiles(family: keyof typeof probes) {
  const { folder, name } = probes[family];
  const text = readFileSync(join(root, folder, name), "utf8");
  return { files: { [name]: text }, handler: defaultHandlers[family] };
}
