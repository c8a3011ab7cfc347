import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { findProgram } from "../../src/drivers/find-program.ts";
import { settingSpecs } from "../../src/settings/schema.ts";
import { TestServer } from "../harness.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const shipped = join(root, "ops/systemd");
const analyze = findProgram("systemd-analyze");
const skip =
  analyze === null &&
  "systemd-analyze is missing: apt-get install -y --no-install-recommends systemd";
/** A role may take this long beyond its drain; see supervisor.ts. */
const CLOSING_S = 35;

/** The unit as it would stand on a machine that has this checkout for /opt/isola. */
function installedUnit(t: TestContext, dropIn?: string): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-unit-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const text = readFileSync(join(shipped, "isola.service"), "utf8");
  writeFileSync(join(dir, "isola.service"), text.replaceAll("/opt/isola", root));
  if (dropIn !== undefined) {
    mkdirSync(join(dir, "isola.service.d"));
    cpSync(join(shipped, dropIn), join(dir, "isola.service.d", dropIn));
  }
  return join(dir, "isola.service");
}

function run(file: string, args: string[], env = process.env) {
  return new Promise<{ code: number | null; said: string }>((resolve) => {
    const child = execFile(file, args, { env, timeout: 60_000 }, (_error, out, err) =>
      resolve({ code: child.exitCode, said: out + err }),
    );
  });
}

const verify = (unit: string) => run(analyze as string, ["verify", "--man=no", unit]);

describe("the unit of systemd", { skip }, () => {
  for (const dropIn of [undefined, "root.conf", "docker.conf"])
    test(`is one that systemd has nothing to say about, ${dropIn ?? "as it is"}`, async (t) => {
      assert.deepEqual(await verify(installedUnit(t, dropIn)), { code: 0, said: "" });
    });

  test("would be complained about if a line were wrong", async (t) => {
    const unit = installedUnit(t);
    writeFileSync(unit, readFileSync(unit, "utf8").replace("KillMode=mixed", "KillMode=gently"));
    assert.match((await verify(unit)).said, /KillMode|gently/);
    const lost = installedUnit(t);
    writeFileSync(lost, readFileSync(lost, "utf8").replaceAll(root, "/opt/nowhere"));
    assert.match((await verify(lost)).said, /not executable|No such file/);
  });
});

test("the unit gives the server longer to stop than the server takes by default", () => {
  const text = readFileSync(join(shipped, "isola.service"), "utf8");
  const stopS = Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]);
  assert.ok(stopS >= settingSpecs.drainTimeoutMs.default / 1000 + CLOSING_S, String(stopS));
});

test("what the unit waits for is a server that takes requests", async (t) => {
  const script = join(shipped, "wait-until-ready.mjs");
  const server = new TestServer({ ISOLA_BLANK_NODEJS: "0", ISOLA_BLANK_PYTHON: "0" });
  t.after(() => server.dispose());
  const waiting = run(process.execPath, [script], { ...process.env, ISOLA_DATA: server.dataDir });
  await server.start();
  assert.deepEqual(await waiting, { code: 0, said: "" });
  assert.equal((await fetch(`${server.apiUrl}/readyz`)).status, 200);
  const { code } = await run(process.execPath, [script], { ...process.env, ISOLA_DATA: "" });
  assert.equal(code, 2);
});
