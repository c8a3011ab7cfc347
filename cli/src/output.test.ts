import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { ApiError } from "@isola/client";
import { paintChanges, paintStates } from "./colors.ts";
import { Output } from "./output.ts";

function written({
  isTTY,
  env = {},
  isJson = false,
  columns = 20,
}: {
  isTTY: boolean;
  env?: NodeJS.ProcessEnv;
  isJson?: boolean;
  columns?: number;
}) {
  const shown = { out: "", err: "" };
  const stderr = Object.assign(new PassThrough(), { isTTY, columns });
  stderr.on("data", (chunk: Buffer) => (shown.err += chunk.toString("utf8")));
  const stdout = {
    write: (chunk: string | Uint8Array) => void (shown.out += Buffer.from(chunk).toString("utf8")),
    isTTY,
  };
  return { output: new Output({ env, stdout, stderr }, isJson), shown };
}

const changes = { json: { a: 1 }, text: "  + a\n  ~ b\n\u001b[31m", paint: paintChanges };

describe("Output", () => {
  test("uses colours on a terminal alone, and not with NO_COLOR, TERM=dumb or --json", () => {
    const { output, shown } = written({ isTTY: true });
    output.result(changes);
    assert.equal(shown.out, "\u001b[32m  + a\u001b[39m\n\u001b[33m  ~ b\u001b[39m\n\\x1b[31m\n");
    output.error(new Error("bad \u001b[2J"));
    assert.equal(shown.err, "\u001b[31misola:\u001b[39m bad \\x1b[2J\n");
    for (const plain of [
      { isTTY: false },
      { isTTY: true, env: { NO_COLOR: "1" } },
      { isTTY: true, env: { TERM: "dumb" } },
      { isTTY: true, isJson: true },
    ]) {
      const { output: other, shown: seen } = written(plain);
      other.result(changes);
      other.error(new ApiError("bad", { status: 400, code: "conflict" }));
      assert.ok(!`${seen.out}${seen.err}`.includes("\u001b"), JSON.stringify(plain));
    }
  });

  test("rewrites a line of progress on a terminal, and takes it away before anything else", () => {
    const { output, shown } = written({ isTTY: true });
    output.progress("one\u001b[2J");
    output.progress(`two\n${"x".repeat(50)}`);
    output.note("said");
    output.clear();
    const second = `two\\n${"x".repeat(14)}`;
    assert.equal(shown.err, `\r\u001b[Kone\\x1b[2J\r\u001b[K${second}\r\u001b[Ksaid\n`);
  });

  test("shows progress as lines where there is no terminal, each once, and nothing with --json", () => {
    const { output, shown } = written({ isTTY: false });
    for (const text of ["one", "one", "two"]) output.progress(text);
    output.result({ json: null, text: "done" });
    assert.deepEqual(shown, { out: "done\n", err: "one\ntwo\n" });
    const json = written({ isTTY: true, isJson: true });
    json.output.progress("one");
    json.output.note("two");
    assert.equal(json.shown.err, "");
  });

  test("gives bytes as they are, but as text to a terminal", async () => {
    const bytes = Buffer.from("\u001b\u00e9");
    const file = written({ isTTY: false });
    await file.output.bytes(bytes);
    assert.equal(file.shown.out, "\u001b\u00e9");
    const terminal = written({ isTTY: true });
    for (const byte of bytes) await terminal.output.bytes(Buffer.from([byte]));
    assert.equal(terminal.shown.out, "\\x1b\u00e9");
  });
});

describe("paintStates", () => {
  test("paints the first word of a state in each line, and no part of another word", () => {
    const mark = (color: string) => (text: string) => `<${color} ${text}>`;
    const colors = {
      red: mark("r"),
      green: mark("g"),
      yellow: mark("y"),
      dim: mark("d"),
      cyan: mark("c"),
      magenta: mark("m"),
      blue: mark("b"),
    };
    assert.equal(
      paintStates("a ok error\nb timeout\nc not available", colors),
      "a <g ok> error\nb <r timeout>\nc <r not available>",
    );
    assert.equal(paintStates("ok-1 /ok error-page x@ok", colors), "ok-1 /ok error-page x@ok");
  });
});
