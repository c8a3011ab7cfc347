import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CommandWork, runCommand } from "./run-command.ts";

function work(lines: string[] = [], given: Partial<CommandWork> = {}): CommandWork {
  return {
    env: process.env,
    missing: "the tool is not installed: apt-get install tool",
    deadlines: { totalMs: 20_000, silenceMs: 20_000 },
    onProgress: (line) => lines.push(line),
    signal: new AbortController().signal,
    ...given,
  };
}

const shell = (script: string, given: CommandWork) => runCommand("/bin/sh", ["-c", script], given);
describe("a program that makes a base", { timeout: 30_000 }, () => {
  test("has its lines shown, and its failure told with the last of them", async () => {
    const lines: string[] = [];
    await shell("echo one >&2; echo two >&2", work(lines));
    assert.deepEqual(lines, ["one", "two"]);
    const failing = shell("seq 1 20 >&2; exit 7", work());
    await assert.rejects(failing, {
      code: "driver_unavailable",
      message: /failed \(7\); it said last:\n {2}13\n[\s\S]*\n {2}20$/,
    });
  });

  test("that is not installed is told with the command that installs it", async () => {
    await assert.rejects(runCommand("/nonexistent/tool", [], work()), {
      code: "driver_unavailable",
      message: "the tool is not installed: apt-get install tool",
    });
  });

  test("that takes too long ends with all that it has started, and so does one that is given up", async () => {
    // The end of its stderr is waited for, which the sleeper has too: longer than this test may take.
    const script = "sleep 600 & echo began >&2; wait";
    const late = work([], { deadlines: { totalMs: 200, silenceMs: 200 } });
    await assert.rejects(shell(script, late), { message: /did not end within 0\.2 s/ });
    const closing = new AbortController();
    const given = work([], { signal: closing.signal, onProgress: () => closing.abort() });
    await assert.rejects(shell(script, given), { code: "shutting_down" });
  });
});
