const SLOWEST_MAX = 10;

/** A reporter of node:test that ends with one line of JSON: how many tests there were, which of them, or suites of them, were skipped, and which files took longest (`{ file, ms }`). */
export default async function* testTally(events) {
  const tally = { tests: 0, skipped: [], slowest: [] };
  for await (const { type, data } of events) {
    if (type === "test:summary" && data.file !== undefined)
      tally.slowest.push({ file: data.file, ms: data.duration_ms });
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (isFile(data)) continue;
    // A suite that is skipped is one that tells nothing of its tests.
    if (data.details?.type !== "suite") tally.tests += 1;
    if (data.skip === undefined || data.skip === false) continue;
    const reason =
      typeof data.skip === "string" && data.skip !== "" ? data.skip : "no reason given";
    tally.skipped.push(`${data.file ?? "?"}: ${data.name} (${reason})`);
  }
  tally.slowest.sort((a, b) => b.ms - a.ms).splice(SLOWEST_MAX);
  yield `${JSON.stringify(tally)}\n`;
}

/** Each test file is reported as a test of its own when it has none. */
function isFile(data) {
  return data.nesting === 0 && (data.name === data.file || data.name.endsWith(".test.ts"));
}
