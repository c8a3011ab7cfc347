import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Type } from "../../protocol/src/frames.mjs";
import { TestHost } from "./test-host.ts";

function logging(body: string, init: Record<string, unknown> = {}): Promise<TestHost> {
  const code = `export const handler = async (event, context) => { ${body} };`;
  return TestHost.ready({ "index.mjs": code }, init);
}

const texts = (host: TestHost) => host.logs.map(({ text }) => text);

describe("logs", () => {
  test("have the level of the console's method and the file it writes to", async () => {
    await using host = await logging(`
      console.log("log %d", 1); console.info("info"); console.warn("warn"); console.error("error");
      console.debug({ a: 1 }); console.trace("trace"); process.stdout.write("out\\n"); process.stderr.write("err\\n");
      console.group("group"); console.log("inner"); console.groupEnd(); console.table([[1]]);`);
    await host.invoke({ event: 1 });
    const lines = host.logs.map(({ level, isStderr, text, stream }) => [
      ...[level, isStderr ? "stderr" : "stdout", text, stream],
    ]);
    assert.deepEqual(lines.slice(0, 6), [
      ["info", "stdout", "log 1", 1],
      ["info", "stdout", "info", 1],
      ["warn", "stderr", "warn", 1],
      ["error", "stderr", "error", 1],
      ["debug", "stdout", "{ a: 1 }", 1],
      ["trace", "stderr", "Trace: trace", 1],
    ]);
    const rest = lines.filter(([level], at) => at > 5 && level !== "trace");
    assert.deepEqual(rest.slice(0, 4), [
      ["none", "stdout", "out", 1],
      ["none", "stderr", "err", 1],
      ["info", "stdout", "group", 1],
      ["info", "stdout", "  inner", 1],
    ]);
    assert.match(String(rest[4]?.[2]), /┌/);
  });

  test("belong to the invocation in whose context they were written, also afterwards", async () => {
    await using host = await TestHost.ready(
      {
        "index.mjs": `
          console.log("at import");
          const gates = {};
          export const handler = async (event) => {
            if (event.open) { gates[event.open](); return; }
            console.log("start", event.name);
            await new Promise((resolve) => { gates[event.name] = resolve; });
            console.log("end", event.name);
            process.stdout.write("half " + event.name);
            setTimeout(() => process.stdout.write("late " + event.name), 5);
            return event.name;
          };`,
      },
      { concurrency: 3 },
    );
    const a = host.open({ event: { name: "a" } });
    const b = host.open({ event: { name: "b" } });
    await host.until(() => host.logs.length === 3);
    await host.invoke({ event: { open: "b" } });
    await host.answer(b);
    await host.invoke({ event: { open: "a" } });
    await host.answer(a);
    await host.until(() => host.logs.length === 9);
    const of = (stream: number) => host.logs.filter((line) => line.stream === stream);
    assert.deepEqual(
      [0, a, b].map((stream) => of(stream).map(({ text }) => text)),
      [
        ["at import"],
        ["start a", "end a", "half a", "late a"],
        ["start b", "end b", "half b", "late b"],
      ],
    );
    const done = host.frames.findIndex(({ type, stream }) => type === Type.BODY && stream === a);
    const half = host.frames.findIndex(({ payload }) => payload.includes("half a"));
    assert.ok(half < done, "an unfinished line comes before the end of its invocation");
  });

  test("are put together to lines, for each invocation and file of its own", async () => {
    await using host = await logging(`
      process.stdout.write("a"); process.stderr.write("1"); process.stdout.write("b\\n\\nc"); process.stderr.write("2\\n");
      process.stdout.write(Buffer.from([0xc3])); process.stdout.write(new Uint8Array([0xbc, 0x0a])); process.stdout.write("w2M=", "base64");`);
    await host.invoke({ event: 1 });
    assert.deepEqual(texts(host), ["ab", "", "12", "cü", "ÃÃ".slice(0, 0) + "\ufffdc"]);
  });

  test("of more than a frame come in pieces, and are cut at the limit of a line", async () => {
    const init = { logLineBytesMax: 150_000 };
    await using host = await logging(`console.log("ü".repeat(event)); console.log("next");`, init);
    const pieces = async (chars: number) => {
      const before = host.logs.length;
      await host.invoke({ event: chars });
      return host.logs.slice(before).map(({ text, isPartial, isTruncated }) => {
        assert.ok(text === "next" || /^ü+$/.test(text), "no character is cut");
        return [Buffer.byteLength(text), isPartial, isTruncated];
      });
    };
    const next = [4, false, false];
    assert.deepEqual(await pieces(32_500), [[65_000, false, false], next]);
    assert.deepEqual(await pieces(32_501), [[65_000, true, false], [2, false, false], next]);
    const whole = [
      [65_000, true, false],
      [65_000, true, false],
    ];
    assert.deepEqual(await pieces(75_000), [...whole, [20_000, false, false], next]);
    assert.deepEqual(await pieces(200_000), [...whole, [20_000, false, true], next]);
  });

  test("that were cut exactly at a piece still say so", async () => {
    const init = { logLineBytesMax: 65_000 };
    await using host = await logging("console.log('x'.repeat(event));", init);
    await host.invoke({ event: 65_000 });
    await host.invoke({ event: 65_001 });
    const seen = host.logs.map(({ text, isPartial, isTruncated }) => [
      text.length,
      isPartial,
      isTruncated,
    ]);
    assert.deepEqual(seen, [
      [65_000, false, false],
      [65_000, false, true],
    ]);
  });

  test("of a short limit are cut to it", async () => {
    await using host = await logging(
      "console.log('0123456789'); process.stdout.write('01'); process.stdout.write('23456789\\n');",
      { logLineBytesMax: 5 },
    );
    await host.invoke({ event: 1 });
    const seen = host.logs.map(({ text, isTruncated }) => [text, isTruncated]);
    assert.deepEqual(seen, [
      ["01234", true],
      ["01234", true],
    ]);
  });

  test("written faster than the host reads do not pile up without bound", async () => {
    await using host = await logging(`
      const line = "x".repeat(60000);
      for (let at = 0; at < 2000; at++) console.log(line);
      return process.memoryUsage.rss();`);
    host.control.pause();
    const stream = host.open({ event: 1 });
    host.writer.flush();
    setTimeout(() => host.control.resume(), 100);
    const { body } = await host.answer(stream);
    assert.ok(Number(body.toString()) < 400 * 1_048_576, body.toString());
    assert.ok(host.logs.length < 2000, "nothing was dropped");
  });
});
