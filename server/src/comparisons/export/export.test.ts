import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { comparisonRow, measuredDriver } from "../comparison-row.fixture.ts";
import { csvOf } from "./csv.ts";
import { markdownOf } from "./markdown.ts";

const hostile = '=HYPERLINK("http://x")\n| a | <script>`x`</script> \u001b[31m';

describe("an exported comparison", () => {
  test("is a table of text with a row for each figure of each driver, and one for a driver without any", () => {
    const row = comparisonRow();
    const lines = csvOf(row).split("\r\n");
    assert.equal(lines.length, 1 + (row.drivers[0]?.figures.length ?? 0) + 1 + 1);
    assert.match(lines[0] ?? "", /^comparison,function,revision,driver,/);
    assert.match(
      lines[1] ?? "",
      /^cmp-1,hello,3,process,namespaces,measured,,function,coldFresh,ms,/,
    );
    assert.match(lines.at(-2) ?? "", /^cmp-1,hello,3,docker,none,unavailable,no engine,,/);
  });

  test("gives words of a function to a table program as text", () => {
    const failed = { ...measuredDriver("process"), state: "failed" as const, reason: hostile };
    const csv = csvOf(comparisonRow({ drivers: [{ ...failed, figures: [] }] }));
    assert.ok(csv.includes(`"'=HYPERLINK(""http://x"")\n`), csv);
    for (const start of ["+1", "-1", "@x", "\t1"]) {
      const drivers = [{ ...failed, figures: [], reason: start }];
      assert.ok(csvOf(comparisonRow({ drivers })).includes(`,'${start},`), start);
    }
  });

  test("is a page that says what was measured where, and what was not", () => {
    const page = markdownOf(comparisonRow());
    assert.match(page, /^# hello, revision 3: process, docker\n/);
    assert.match(page, /AMD EPYC, 2 cores, 8192 MiB, linux 6\.1/);
    assert.match(page, /\| coldFresh: [^|]+ \| ms \| 50 \(45 to 60\) \|\n/);
    assert.match(page, /\| syscall \(2,000 stat calls\): warmP50 \| ms \|/);
    assert.match(page, /- docker: unavailable: no engine\n$/);
  });

  test("holds no markup of a function", () => {
    const failed = { ...measuredDriver("process"), state: "failed" as const, reason: hostile };
    const page = markdownOf(comparisonRow({ drivers: [{ ...failed, figures: [] }] }));
    const line = page.split("\n").find((one) => one.startsWith("- process: failed")) ?? "";
    assert.ok(line.includes("\\| a \\| \\<script\\>\\`x\\`\\</script\\>"), line);
    assert.ok(!page.includes("\u001b"));
    assert.equal(page.split("\n").filter((one) => one.includes("HYPERLINK")).length, 1);
  });
});
