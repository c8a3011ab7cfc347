import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Lives } from "./lives.ts";
import { simulate } from "./simulation.ts";

/**
 * `ISOLA_SIMULATION_RUNS=200000` lives through more lives than usual; `ISOLA_SIMULATION_SEED=7` replays that one and tells all of it; both together begin there.
 */
const { ISOLA_SIMULATION_RUNS: runsText, ISOLA_SIMULATION_SEED: seedText } = process.env;
const first = Number(seedText ?? 1);
const runs = Number(runsText ?? (seedText === undefined ? 20_000 : 1));
const LINES_TOLD = 200;

/** What the lives of a usual run must have seen between them, or they prove nothing. */
const expected = [
  ...["cold", "prewarmed", "warm"],
  ...["ok", "function_error", "timeout", "crash", "out_of_memory", "cancelled", "platform_error"],
  ...["queue_timeout", "too_many_requests", "init_timeout", "init_failed", "function_timeout"],
  ...["stream_timeout", "sandbox_exited", "bad_response", "sandbox_start_failed"],
  ...["route_not_found", "shutting_down", "not let in", "started ahead"],
];

async function live(): Promise<Lives> {
  const worker = new Worker(new URL("./lives.ts", import.meta.url), {
    workerData: { first, runs },
  });
  const [lives] = await once(worker, "message");
  return lives as Lives;
}

/** Runs once more with a trace; the end of it is what to read. */
async function story(seed: number, failure: string): Promise<string> {
  const { lines, failure: again } = await simulate(seed, true);
  const told = [
    `seed ${seed}: ${failure}`,
    `replay: ISOLA_SIMULATION_SEED=${seed} node --test server/test/simulation/simulation.test.ts`,
    ...(lines.length > LINES_TOLD ? [`... ${lines.length - LINES_TOLD} lines before`] : []),
    ...lines.slice(-LINES_TOLD),
  ];
  if (again !== failure) told.push(`the replay was different: ${again ?? "nothing was wrong"}`);
  return told.join("\n");
}

describe("pools, calls and deadlines in a simulated world", () => {
  test("keep every promise, whatever the machine and the functions do", async (t) => {
    const { wrong, steps, seen } = await live();
    if (wrong !== null) assert.fail(await story(wrong.seed, wrong.failure));
    t.diagnostic(`${runs} lives, ${steps} steps`);
    if (runs === 1) t.diagnostic((await simulate(first, true)).lines.join("\n"));
    if (runs < 1000) return;
    const missing = expected.filter((what) => !seen.has(what));
    assert.deepEqual(missing, [], "never happened");
  });

  test("live the same life again from the same seed", async () => {
    for (let seed = first; seed < first + 20; seed += 1) {
      const [one, other] = [await simulate(seed, true), await simulate(seed, true)];
      assert.deepEqual(one.lines, other.lines);
    }
  });
});
