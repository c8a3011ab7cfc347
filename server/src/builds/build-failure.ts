import { type ErrorCode, IsolaError, errorCatalogue } from "../errors.ts";
import type { BuildResult } from "../link/messages.ts";

const LINES_MAX = 50;
const WORDS_MAX = 2000;

/** Why there is no result; null: there is one. What the sandbox said is data: bounded, and shown as text. */
export function buildFailure(
  result: BuildResult,
  limits: { timeoutMs: number; memoryMiB: number },
): IsolaError | null {
  const { outcome, status, message } = result;
  if (outcome === "ok" && status === 200) return null;
  if (outcome === "ok") {
    const said = readSaid(result.said);
    return failed(said.message, said.output);
  }
  if (outcome === "cancelled") return new IsolaError("cancelled", "the build was cancelled");
  // What a build sandbox loads before it is ready, or waits for, is the platform's own.
  if (outcome === "platform_error" || result.errorCode === "init_timeout")
    return new IsolaError(platformCode(result.errorCode), `the build could not run: ${message}`);
  if (outcome === "timeout")
    return failed(`it took longer than ${limits.timeoutMs} ms (setting buildTimeoutMs)`);
  if (outcome === "out_of_memory")
    return failed(`it needed more than ${limits.memoryMiB} MiB of memory (setting buildMemoryMiB)`);
  return failed(message);
}

/** The gateway's own words for what the platform failed in. */
function platformCode(code: string | null): ErrorCode {
  const isOurs = code !== null && Object.hasOwn(errorCatalogue, code);
  const known = isOurs ? (code as ErrorCode) : "sandbox_start_failed";
  return errorCatalogue[known].blame === "platform" ? known : "sandbox_start_failed";
}

function failed(why: string, output: readonly string[] = []): IsolaError {
  const given = output.join("\n");
  const details = given === "" ? [] : [{ path: "build", expected: "a build that succeeds", given }];
  return new IsolaError("build_failed", `the build failed: ${why.slice(0, WORDS_MAX)}`, {
    details,
  });
}

/** The builder's words, if it was the builder. */
function readSaid(text: string): { message: string; output: string[] } {
  try {
    const { message, output } = JSON.parse(text) as { message?: unknown; output?: unknown };
    const lines = Array.isArray(output) ? output.filter((line) => typeof line === "string") : [];
    if (typeof message === "string") return { message, output: lines.slice(-LINES_MAX) };
  } catch {
    // Told below.
  }
  return { message: "the builder answered something else than it should", output: [] };
}
