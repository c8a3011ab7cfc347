import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const url = new URL("./inherited-descriptors.ts", import.meta.url).href;

/** Descriptors that a child of a Node.js process has open, which was itself started with 60 and 61 open. */
function descriptorsOfChild(before: string): string[] {
  const code = `${before}
    const { execFileSync } = await import("node:child_process");
    process.stdout.write(execFileSync("sh", ["-c", "cd /proc/self/fd && echo *"]));`;
  const start = 'exec 60</dev/null 61>/dev/null; exec "$0" --input-type=module --eval "$1"';
  const shown = execFileSync("bash", ["-c", start, process.execPath, code], { encoding: "utf8" });
  return shown.trim().split(" ");
}

test("descriptors that the server was started with reach no child of it", {
  skip: process.platform !== "linux" && "needs /proc",
}, () => {
  assert.ok(descriptorsOfChild("").includes("60"), "without it they do");
  const left = descriptorsOfChild(`
    const { closeInherited } = await import(${JSON.stringify(url)});
    closeInherited();`);
  for (const number of ["60", "61"]) assert.ok(!left.includes(number), left.join());
});
