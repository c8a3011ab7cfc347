import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TestServer } from "../../server/test/harness.ts";
import { type Consumer, installPacked, olderNode, root, snippetsOf } from "./packed-client.ts";

const older = olderNode();
const skipOlder =
  older === null && process.env.CI !== "true" && "no older Node.js is here: apt-get install nodejs";

describe("the packed client", () => {
  const server = new TestServer();
  let consumer: Consumer;
  const env = (more: Record<string, string> = {}) => ({
    ...{ PATH: process.env.PATH ?? "", ISOLA_URL: server.apiUrl, ISOLA_API_KEY: server.adminKey },
    ...more,
  });
  before(async () => {
    consumer = installPacked();
    await server.start();
  });
  after(async () => {
    await server.dispose();
    consumer.dispose();
  });

  test("holds JavaScript, types, licence and README, needs no package and names none", () => {
    const names = readdirSync(consumer.packageDir);
    for (const name of ["LICENSE", "README.md", "index.d.ts", "index.js", "package.json"])
      assert.ok(names.includes(name), name);
    const manifest = JSON.parse(readFileSync(join(consumer.packageDir, "package.json"), "utf8"));
    assert.deepEqual([manifest.dependencies, manifest.private], [undefined, undefined]);
    const installed = readdirSync(join(consumer.dir, "node_modules/@isola"));
    assert.deepEqual(installed, ["client"]);
    for (const file of readdirSync(consumer.packageDir, { recursive: true, encoding: "utf8" })) {
      if (!/\.(js|d\.ts)$/.test(file)) continue;
      const text = readFileSync(join(consumer.packageDir, file), "utf8");
      assert.doesNotMatch(text, /typebox|from "node:|@isola\/api/, file);
    }
  });

  test("creates, calls, lists, tails, rolls back and deletes on the newest Node.js", () => {
    copyFileSync(join(import.meta.dirname, "walk.mjs"), join(consumer.dir, "walk.mjs"));
    assert.equal(consumer.run(process.execPath, "walk.mjs", env({ NAME: "newest" })), "walked\n");
  });

  test("does the same on an older Node.js", { skip: skipOlder }, () => {
    assert.ok(older, "CI has no older Node.js");
    copyFileSync(join(import.meta.dirname, "walk.mjs"), join(consumer.dir, "walk.mjs"));
    assert.equal(consumer.run(older, "walk.mjs", env({ NAME: "older" })), "walked\n");
  });

  test("does what its README shows", () => {
    const snippets = snippetsOf("client/README.md", "js");
    assert.ok(snippets.length >= 5);
    for (const [at, code] of snippets.entries()) {
      consumer.write(`snippet-${at}.mjs`, code);
      const output = consumer.run(process.execPath, `snippet-${at}.mjs`, env());
      assert.notEqual(output, "", code);
    }
  });

  test("type-checks strictly for Node.js and for bundlers, its own declarations too", () => {
    copyFileSync(
      join(import.meta.dirname, "consumer.fixture.ts"),
      join(consumer.dir, "consumer.ts"),
    );
    const dom = { lib: ["es2023", "dom"], types: [] };
    const node = {
      lib: ["es2023"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    };
    for (const [name, options] of [
      ["nodenext", { module: "nodenext", moduleResolution: "nodenext", ...dom }],
      ["bundler", { module: "esnext", moduleResolution: "bundler", ...dom }],
      ["node", { module: "nodenext", ...node, skipLibCheck: true }],
    ] as const)
      typeCheck(name, options, ["consumer.ts"]);
  });

  test("has the types that the API's schemas have", () => {
    const lines: string[] = [];
    for (const file of readdirSync(join(root, "api/src"))) {
      const source = readFileSync(join(root, "api/src", file), "utf8");
      const names = [...source.matchAll(/^export type (\w+) = Static</gm)].map(([, name]) => name);
      if (names.length === 0) continue;
      const name = file.replace(/\W/g, "_");
      lines.push(`import type * as source_${name} from "${join(root, "api/src", file)}";`);
      const declared = join(consumer.packageDir, "api", file.replace(/\.ts$/, ".js"));
      if (!readdirSync(join(consumer.packageDir, "api")).includes(file.replace(/\.ts$/, ".d.ts")))
        continue;
      lines.push(`import type * as packed_${name} from "${declared}";`);
      for (const one of names)
        lines.push(
          `export const ${name}_${one}: Same<source_${name}.${one}, packed_${name}.${one}> = true;`,
        );
    }
    assert.ok(lines.length > 60);
    const same = "type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;";
    consumer.write("same.ts", `${same}\n${lines.join("\n")}\n`);
    const options = { module: "nodenext", lib: ["es2023", "dom"], types: [], skipLibCheck: true };
    typeCheck("same", { ...options, allowImportingTsExtensions: true }, ["same.ts"]);
  });

  function typeCheck(name: string, options: object, files: string[]): void {
    const compilerOptions = { strict: true, target: "es2023", noEmit: true, ...options };
    const path = join(consumer.dir, `tsconfig.${name}.json`);
    writeFileSync(path, JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    try {
      execFileSync(process.execPath, [tsc, "-p", path], { encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      assert.fail(`${name}: ${(error as { stdout: string }).stdout.slice(0, 4000)}`);
    }
  }
});
