// A job for each night: how did the functions do in the last 24 hours? Prints a table, and exits with 1 where one failed too often, so that
// whatever runs it (cron, CI) tells somebody.
import { createClient, isApiError, items } from "@isola/client";

const FAILED_SHARE_MAX = 0.05;
const DAY_MS = 86_400_000;

const client = createClient({
  url: process.env.ISOLA_URL ?? "http://127.0.0.1:8081",
  apiKey: process.env.ISOLA_API_KEY,
  retries: 5, // the server may be starting again just now
});

try {
  const rows = await readRows(AbortSignal.timeout(10 * 60_000));
  console.log(table(rows));
  process.exitCode = rows.some(({ failedShare }) => failedShare > FAILED_SHARE_MAX) ? 1 : 0;
} catch (error) {
  if (!isApiError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 2;
}

async function readRows(signal) {
  const since = Date.now() - DAY_MS;
  const rows = [];
  for await (const { name } of items(client.listFunctions, { sort: "name" }, { signal })) {
    const ofFunction = (query) => client.listInvocations(name, query, { signal });
    const runs = [];
    let failed = 0;
    let example = "";
    for await (const invocation of items(ofFunction, { since, limit: 200 })) {
      if (invocation.runMs !== null) runs.push(invocation.runMs);
      if (invocation.outcome === "ok") continue;
      failed += 1;
      example ||= invocation.id;
    }
    const calls = Math.max(runs.length, failed);
    const failedShare = calls === 0 ? 0 : failed / calls;
    rows.push({ name, calls, failed, failedShare, medianMs: median(runs), example });
  }
  return rows;
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function table(rows) {
  const lines = rows.map(
    ({ name, calls, failed, medianMs, example }) =>
      `| ${name} | ${calls} | ${failed} | ${medianMs.toFixed(1)} ms | ${example} |`,
  );
  return [
    "| function | calls | failed | median | a failed call |",
    "|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}
