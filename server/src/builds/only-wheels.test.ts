import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../../builders/python/only_wheels.py", import.meta.url));
const wheels =
  "import ensurepip, glob, os; found = glob.glob(os.path.dirname(ensurepip.__file__) + '/_bundled/pip-*.whl') + glob.glob('/usr/share/python-wheels/pip-*.whl'); print(found[0])";

test("pip runs no code of a package from source, whatever its requirements say", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "isola-only-wheels-"));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "lib"));
  const ran = join(dir, "ran");
  const setup = `open(${JSON.stringify(ran)}, "w").close()\nfrom setuptools import setup\nsetup(name="lib", version="1")\n`;
  writeFileSync(join(dir, "lib/setup.py"), setup);
  const found = spawnSync("python3", ["-c", wheels], { encoding: "utf8" });
  assert.equal(found.status, 0, found.stderr);
  const env = { PATH: process.env.PATH, PYTHONPATH: found.stdout.trim(), PIP_NO_INDEX: "1" };
  const install = (line: string, more: readonly string[]) => {
    writeFileSync(join(dir, "requirements.txt"), line);
    const rest = ["install", "--target", "made", "--only-binary", ":all:", ...more];
    const args = ["-S", script, ...rest, "-r", "requirements.txt"];
    return spawnSync("python3", args, { cwd: dir, env, encoding: "utf8", timeout: 50_000 });
  };
  const lines = [`lib @ file://${dir}/lib`, "-e ./lib", "--no-binary :all:\n./lib"];
  for (const [line, more] of [
    ...lines.map((one) => [one, ["--no-build-isolation"]] as const),
    ["./lib", []] as const,
  ]) {
    const { status, stderr } = install(line, more);
    assert.notEqual(status, 0);
    assert.match(stderr, /builds from source are off/, line);
    assert.ok(!existsSync(ran), line);
  }
});
