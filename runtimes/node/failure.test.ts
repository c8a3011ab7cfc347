import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { describe as describeFailure, failurePayload } from "./failure.mjs";

describe("the stack of a failure", () => {
  test("goes on with every cause, errors or not", () => {
    const root = new TypeError("no route", { cause: "unplugged" });
    const { stack, message } = describeFailure(new Error("cannot load", { cause: root }));
    assert.equal(message, "cannot load");
    assert.match(stack, /^Error: cannot load\n +at .*\n/);
    assert.match(stack, /\nCaused by: TypeError: no route\n +at /);
    assert.match(stack, /\nCaused by: unplugged$/);
  });

  test("has the places of the sources where a script ends with its map, and its own where not", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "isola-map-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const at = (name: string) => pathToFileURL(join(dir, name)).href;
    // Its first line comes from line 3 of the source.
    const map = { version: 3, sources: ["src/a b.ts"], names: [], mappings: "AAEA" };
    const base64 = Buffer.from(JSON.stringify(map)).toString("base64");
    const mark = "//# sourceMappingURL=data:application/json;base64,";
    const code = "export const error = new Error('x', { cause: 1 });\n";
    writeFileSync(join(dir, "mapped.mjs"), `${code}${mark}${base64}\n`);
    writeFileSync(join(dir, "bare.mjs"), code);
    writeFileSync(join(dir, "broken.mjs"), `${code}${mark}!!!!\n`);
    const stackOf = async (name: string) => {
      const { error } = (await import(at(name))) as { error: Error };
      return describeFailure(error).stack;
    };
    assert.ok((await stackOf("mapped.mjs")).includes(`at ${at("src/a b.ts")}:3:22\n`));
    for (const name of ["bare.mjs", "broken.mjs"])
      assert.ok((await stackOf(name)).includes(`at ${at(name)}:1:22\n`), name);
    const gone = new Error("gone");
    gone.stack = `Error: gone\n    at file:///no/such/file.mjs:1:1\n${"file:///".repeat(100_000)}`;
    assert.match(describeFailure(gone).stack, /file:\/\/\/no\/such\/file\.mjs:1:1\n/);
  });

  test("ends where causes repeat, where they are many, and where one cannot be read", () => {
    const first = new Error("first");
    const second = new Error("second", { cause: first });
    first.cause = second;
    assert.match(describeFailure(first).stack, /Caused by: Error: second[^]*Caused by an error/);
    let deep = new Error("level 0");
    for (let level = 1; level <= 100; level += 1)
      deep = new Error(`level ${level}`, { cause: deep });
    const { stack } = describeFailure(deep);
    assert.match(stack, /Caused by: Error: level 92\n[^]*Caused by more errors$/);
    assert.doesNotMatch(stack, /level 91/);
    const wall = Object.defineProperty(new Error("wall"), "cause", {
      get() {
        throw new Error("no");
      },
    });
    assert.match(describeFailure(wall).stack, /^Error: wall\n/);
  });

  test("fits into the frame however long the causes are", () => {
    const cause = new Error("é".repeat(500_000));
    const payload = failurePayload("function_error", new Error("top", { cause }));
    const { stack } = JSON.parse(payload.toString("utf8")) as { stack: string };
    assert.ok(stack.length <= 32_000);
    assert.match(stack, /Caused by: Error: é/);
  });
});
