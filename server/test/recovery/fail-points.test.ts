import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { type FailPoint, armFailPoints, failPoint, failPoints } from "../../src/fail-points.ts";

const sources = join(import.meta.dirname, "../../src");
const here = import.meta.dirname;
const names = Object.keys(failPoints) as FailPoint[];

function textsBelow(dir: string, pattern: RegExp): string {
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name) && !name.endsWith("fail-points.test.ts"))
    .map((name) => readFileSync(join(dir, name), "utf8"))
    .join("\n");
}

/** What `armFailPoints` says to a text. */
function refusalOf(text: string): string {
  try {
    armFailPoints(text);
    return "taken";
  } catch (error) {
    return (error as Error).message;
  }
}

afterEach(() => armFailPoints(undefined));

test("every fail point stands in the sources, and every one there is in the table", () => {
  const text = textsBelow(sources, /(?<!test|fixture)\.ts$/);
  const passed = [...text.matchAll(/failPoint(?:Now)?\("([^"]+)"\)/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(passed)].toSorted(), names.toSorted());
});

test("every fail point is one at which a test kills a server", () => {
  const tests = textsBelow(here, /killed-.*\.test\.ts$/);
  for (const name of names) assert.ok(tests.includes(`"${name}"`), `${name} is in no test`);
});

test("nothing is armed without the variable, and passing a point does nothing", () => {
  assert.equal(armFailPoints(undefined), null);
  assert.equal(armFailPoints(""), null);
  for (const name of names) assert.equal(failPoint(name as "artifact.written"), undefined);
});

test("an armed point fails as it was told, the others do not", () => {
  assert.match(String(armFailPoints("artifact.written=error:ENOSPC")), /MADE TO FAIL.*ENOSPC/);
  assert.throws(() => failPoint("artifact.written"), { code: "ENOSPC" });
  assert.equal(failPoint("artifact.renamed"), undefined);
});

test("@2 is for the second passing alone", () => {
  armFailPoints("artifact.written=error:EIO@2; artifact.renamed=delay:0");
  assert.equal(failPoint("artifact.written"), undefined);
  assert.throws(() => failPoint("artifact.written"), { code: "EIO" });
  assert.equal(failPoint("artifact.written"), undefined);
  assert.ok(failPoint("artifact.renamed") instanceof Promise);
});

test("a point, an action or an errno that does not exist is refused, and so is a delay that nothing awaits", () => {
  assert.match(refusalOf("artifact.writen=kill"), /expected spool\.named, artifact\.written/);
  assert.match(refusalOf("artifact.written=explode"), /expected kill, exit/);
  assert.match(refusalOf("artifact.written=error:ENOTHING"), /expected kill, exit/);
  assert.match(refusalOf("artifact.written=delay:x"), /expected kill, exit/);
  assert.match(refusalOf("call.sent=delay:5"), /nothing awaits/);
  assert.equal(refusalOf("call.sent=hang:5"), "taken");
});

test("exit and hang end and hold the process that passes the point", () => {
  const module = new URL("../../src/fail-points.ts", import.meta.url).href;
  const run = (text: string) => {
    const script = `const { armFailPoints, failPointNow } = await import(${JSON.stringify(module)});
      armFailPoints(${JSON.stringify(text)}); const at = performance.now(); failPointNow("call.sent");
      console.log("passed", performance.now() - at >= 20);`;
    const { status, signal, stdout } = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", script],
      { encoding: "utf8" },
    );
    return [status, signal, stdout.trim()];
  };
  assert.deepEqual(run("call.sent=exit"), [1, null, ""]);
  assert.deepEqual(run("call.sent=kill"), [null, "SIGKILL", ""]);
  assert.deepEqual(run("call.sent=hang:20"), [0, null, "passed true"]);
});
