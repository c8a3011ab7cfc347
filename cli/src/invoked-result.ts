import type { Invoked } from "@isola/api/invocations";
import { paintStates } from "./colors.ts";
import { type Context, type Result, exitCodes } from "./command.ts";
import { shownLog } from "./commands/logs.ts";

/** The answer of a call, `head` before it; phases and logs are told beside it. Exit code 1 unless it went well. */
export function invokedResult(context: Context, invoked: Invoked, head = ""): Result {
  context.note(summaryOf(invoked), paintStates);
  return {
    json: invoked,
    text: head + textOf(invoked),
    exitCode: invoked.outcome === "ok" ? exitCodes.ok : exitCodes.failed,
  };
}

function summaryOf(invoked: Invoked): string {
  const { queueMs, startMs, initMs, runMs } = invoked.phases;
  const phases = Object.entries({ queue: queueMs, start: startMs, init: initMs, run: runMs })
    .filter(([, ms]) => ms !== null)
    .map(([name, ms]) => `${name} ${(ms as number).toFixed(1)} ms`);
  const { status, outcome, startKind, revision, id, logs } = invoked;
  const head = `${status} ${outcome}, ${startKind ?? "no sandbox"}, revision ${revision}, ${id}`;
  return [head, phases.join(", "), ...logs.map((line) => shownLog(line))].join("\n");
}

function textOf({ error, body, bodyBase64 }: Invoked): string {
  if (body !== null && body !== "") return body;
  if (bodyBase64 !== null)
    return `(${Buffer.from(bodyBase64, "base64").length} bytes; --json shows them in base64)`;
  return error ? `${error.code}: ${error.message}` : "";
}
