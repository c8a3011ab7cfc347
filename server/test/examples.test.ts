import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Example, checkCase, loadExamples } from "../../examples/cases.ts";
import { skipDocker } from "../src/drivers/docker/testing/docker-stand.ts";
import { skipGvisor } from "../src/drivers/gvisor/testing/gvisor-stand.ts";
import { TestServer } from "./harness.ts";

function filesIn(dir: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.parentPath.includes("__pycache__")) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(dir, path)] = readFileSync(path, "utf8");
  }
  return files;
}

const lists = ["package.json", "requirements.txt", "pyproject.toml"];

/** Builds on gvisor are slow, and have tests of their own: server/test/builds. */
function installs({ functions }: Example): boolean {
  return functions.some(({ codeDir }) => lists.some((name) => existsSync(join(codeDir, name))));
}

/** Every example deploys and answers on every driver, unchanged. */
function examplesOn(driver: string, skip: string | false, examples = loadExamples()): void {
  describe(`on the driver ${driver}`, { skip }, () => {
    const server = new TestServer({ ISOLA_DEFAULT_DRIVER: driver });
    before(() => server.start());
    after(() => server.dispose());
    for (const example of examples)
      describe(`the example ${example.name}`, () => {
        test("deploys as it is", async () => {
          for (const fn of example.functions) {
            const deployed = await server.deploy(fn.name, filesIn(fn.codeDir), {
              runtime: fn.runtime,
              ...fn.settings,
            });
            assert.equal(deployed.liveRevision, 1);
          }
        });

        for (const each of example.cases)
          test(`answers: ${each.name}`, async () => {
            await checkCase(server.gatewayUrl, each);
          });
      });
  });
}

examplesOn("process", false);
examplesOn("docker", skipDocker);
examplesOn(
  "gvisor",
  skipGvisor,
  loadExamples().filter((example) => !installs(example)),
);
