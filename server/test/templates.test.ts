import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { type Template, readTemplates } from "../../cli/src/init/templates.ts";
import { runIsola } from "../../cli/test/run-isola.ts";
import { TestServer } from "./harness.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const bin = join(root, "node_modules/.bin");

/** A package of dependencies may take long on a machine that is busy: this is what the server gives it. */
const BUILD_MS_MAX = 300_000;

/** A `sh` block of a README, and what it says that comes of it. */
interface Step {
  script: string;
  answer: string | undefined;
}

function stepsOf(readme: string): Step[] {
  const blocks = /^```sh\n(.*?)\n```\n(?:```(?:text|json|html)\n(.*?)\n```\n)?/gms;
  return [...readme.matchAll(blocks)].map(([, script = "", answer]) => ({ script, answer }));
}

describe("a template, begun by `isola init`", { concurrency: 3 }, () => {
  let server: TestServer;
  let dir: string;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    server = await new TestServer().start();
    dir = mkdtempSync(join(tmpdir(), "isola-templates-"));
    symlinkSync(join(root, "node_modules"), join(dir, "node_modules")); // types of Node.js
    mkdirSync(join(dir, "bin"));
    const main = join(root, "cli/src/main.ts");
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
    writeFileSync(join(dir, "bin/isola"), shim, { mode: 0o755 });
    env = {
      ...process.env,
      PATH: `${join(dir, "bin")}:${process.env.PATH}`,
      ISOLA_URL: server.apiUrl,
      ISOLA_API_KEY: server.adminKey,
    };
  });
  after(async () => {
    await server.dispose();
    rmSync(dir, { recursive: true, force: true });
  });

  const isola = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await runIsola([...argv, "--json"], { env, cwd: dir });
    assert.equal(exitCode, 0, stdout + stderr);
    return JSON.parse(stdout);
  };

  /** Every block as it stands there, but for where this server listens and keeps its key. */
  const followReadme = async (folder: string) => {
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    const steps = stepsOf(readme);
    assert.equal(steps.length, readme.split("```sh").length - 1, "every block was found");
    assert.ok(steps.some(({ script }) => script.startsWith("curl ")));
    for (const { script, answer } of steps) {
      const here = script
        .replaceAll("http://127.0.0.1:8080", server.gatewayUrl)
        .replaceAll("http://127.0.0.1:8081", server.apiUrl)
        .replaceAll("data/admin-key", join(server.dataDir, "admin-key"));
      const { stdout } = await run("sh", ["-ec", here], { cwd: folder, env });
      if (answer !== undefined) assert.equal(stdout.trimEnd(), answer, script);
    }
  };

  for (const template of longestFirst(readTemplates()))
    test(`${template.id} answers as its README says, and is the same when it is deployed again`, {
      timeout: BUILD_MS_MAX,
    }, async () => {
      const name = `my-${template.kind}-${template.language.toLowerCase()}`;
      const folder = join(dir, name);
      await isola("init", name, "--template", template.id);
      assert.deepEqual(settingsIn(folder, name), template.settings);
      await followReadme(folder);
      const tried = await server.api("POST", `/api/v1/functions/${name}/invocations`, template.try);
      assert.equal(tried.json.outcome, "ok", tried.text);
      assert.ok(tried.json.status < 300, tried.text);
      await checkTypes(template, folder);
      const { functions } = await isola("deploy", name, "--yes");
      assert.deepEqual(
        functions.map(({ action, revision }: any) => [action, revision]),
        [["unchanged", 1]],
      );
    });
});

/** Builds begin at once, beside what needs none. */
function longestFirst(templates: readonly Template[]): Template[] {
  const isBuilt = ({ kind }: Template) => ["fastapi", "flask", "bundle", "hono"].includes(kind);
  return [...templates].reverse().sort((a, b) => Number(isBuilt(b)) - Number(isBuilt(a)));
}

function settingsIn(folder: string, name: string): unknown {
  const text = readFileSync(join(folder, "isola.yaml"), "utf8");
  assert.match(text, /^# yaml-language-server: \$schema=http:\S+\/isola\.schema\.json\n/);
  return parse(text).functions[name];
}

/** With the compiler of this repository; dependencies are installed first, as a developer does. */
async function checkTypes({ language }: Template, folder: string): Promise<void> {
  if (language === "Python")
    await run("python3", ["-m", "py_compile", join(folder, "app.py")], { cwd: folder });
  if (language !== "TypeScript") return;
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const args = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  if (dependencies !== undefined) await run(join(bin, "npm"), args, { cwd: folder });
  await run(join(bin, "tsc"), ["-p", folder]).catch((error) => assert.fail(error.stdout));
}
