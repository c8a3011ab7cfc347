import assert from "node:assert/strict";
import { eventually } from "../harness.ts";
import { endlessFunctions } from "./endless-code.ts";
import type { DeadlineStand } from "./suite.ts";

/** Code that does not end by itself, whatever it does. */
export function runCases(stand: DeadlineStand): void {
  const timeoutMs = 400 * stand.slowness;
  for (const [at, { what, runtime, files }] of endlessFunctions.entries())
    stand.case(
      `a function that ${what} is answered, killed, seen to be gone, and replaced`,
      async () => {
        const name = `endless-${at}`;
        await stand.deploy(name, files, { runtime, timeoutMs, maxSandboxes: 1 });
        await serves(stand, name);
        const answer = await stand.server.call(`/${name}/endless`);
        assert.equal(answer.status, 504, answer.text);
        const { error } = answer.json;
        assert.equal(error.code, "function_timeout");
        assert.equal(error.phase, "run");
        assert.equal(error.limitMs, timeoutMs);
        assert.ok(error.elapsedMs >= timeoutMs);
        const record = await stand.recordOf(answer.headers.get("isola-request-id"));
        assert.equal(record.outcome, "timeout");
        assert.ok(record.runMs >= timeoutMs);
        assert.equal(typeof record.killMs, "number", "it was seen to be gone");
        await eventually("the line that says that nothing of it was left", async () =>
          (await stand.logsOf(name)).some((line) => /was killed and gone after/.test(line)),
        );
        await serves(stand, name);
        await isAlone(stand, name);
      },
    );

  stand.case(`${4 * stand.turns} timeouts in a row leave one sound sandbox`, async () => {
    const files = endlessFunctions[0]?.files as Record<string, string>;
    // The first answer of a sound sandbox has to fit in as well.
    const isSwift = stand.driver === "process" || stand.driver === "docker";
    const brief = stand.slowness > 1 ? timeoutMs : isSwift ? 20 : 200;
    await stand.deploy("many", files, { timeoutMs: brief, concurrency: 1, maxSandboxes: 4 });
    for (let turn = 0; turn < stand.turns; turn += 1) {
      const answers = await Promise.all([1, 2, 3, 4].map(() => stand.server.call("/many/endless")));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([504]));
    }
    await serves(stand, "many");
    await isAlone(stand, "many");
  });

  stand.case(
    "an answer that comes at the deadline is one or the other, for caller and record alike",
    async () => {
      const files = {
        "index.mjs": `const until = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const handler = async (event, context) => { await until(context.getRemainingTimeInMillis() - 1); return "ok"; };`,
      };
      await stand.deploy("edge", files, { timeoutMs: 25, maxSandboxes: 8 });
      const answers = [];
      for (let turn = 0; turn < stand.turns; turn += 1)
        answers.push(...(await Promise.all([1, 2, 3, 4].map(() => stand.server.call("/edge")))));
      for (const { status, text, headers } of answers) {
        assert.ok(status === 504 || (status === 200 && text === "ok"), `${status} ${text}`);
        const { outcome } = await stand.recordOf(headers.get("isola-request-id"));
        assert.equal(outcome, status === 200 ? "ok" : "timeout");
      }
    },
  );

  stand.case("a limit of one millisecond is kept, and is charged to the run alone", async () => {
    await stand.deploy("brief", endlessFunctions[0]?.files as Record<string, string>, {
      timeoutMs: 1,
    });
    const answer = await stand.server.call("/brief/endless");
    assert.equal(answer.json.error.code, "function_timeout");
    assert.equal(answer.json.error.limitMs, 1);
  });

  stand.case(
    "with others in the sandbox the late call is answered, they finish, and then it is killed",
    async () => {
      const { slowness } = stand;
      const files = {
        "index.mjs": `export const handler = async (event) => {
  await new Promise((resolve) => event.rawPath === "/held" && setTimeout(resolve, ${2500 * slowness}));
  return "held";
};`,
      };
      await stand.deploy("shared", files, {
        timeoutMs: 3000 * slowness,
        concurrency: 3,
        maxSandboxes: 1,
      });
      const late = stand.server.call("/shared/never");
      await eventually("the first call", async () => (await stand.sandboxes("shared")).busy === 1);
      await new Promise((resolve) => setTimeout(resolve, 1500 * slowness)); // the second one's deadline is that much later
      const held = stand.server.call("/shared/held");
      assert.equal((await late).json.error.code, "function_timeout");
      assert.deepEqual(await stand.sandboxes("shared"), { draining: 1 });
      assert.equal((await held).text, "held");
      await eventually("its end", async () => !("draining" in (await stand.sandboxes("shared"))));
    },
  );
}

/** It answers; where everything is slow and the limit short for the sake of the case, perhaps not at once. */
export async function serves(stand: DeadlineStand, name: string): Promise<void> {
  if (stand.slowness === 1) assert.equal((await stand.server.call(`/${name}`)).text, "ok");
  else
    await eventually(
      `an answer of ${name}`,
      async () => (await stand.server.call(`/${name}`)).text === "ok",
    );
}

/** One living sandbox, in whatever state a sound one may be. */
export async function isAlone(stand: DeadlineStand, name: string): Promise<void> {
  await eventually(`one sandbox of ${name}`, async () => {
    const all = await stand.sandboxes(name);
    const sound = (all.idle ?? 0) + (all.frozen ?? 0);
    return sound === 1 && Object.values(all).reduce((sum, count) => sum + count, 0) === 1;
  });
}
