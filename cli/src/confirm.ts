import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { Failure, type Terminal, exitCodes } from "./command.ts";
import { printable } from "./printable.ts";

/** Where a person is asked. */
export interface Asking {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
  signal: AbortSignal;
}

/** null where there is nobody to ask. */
export function terminalOf({ stdin, stderr, signal }: Asking): Terminal | null {
  if (!stdin.isTTY || !stderr.isTTY) return null;
  return { input: stdin as Readable, output: stderr as Writable, signal };
}

/** Ctrl-C is a no that ends the command, the end of the input an ordinary one. */
export async function confirm(question: string, around: Asking): Promise<boolean | null> {
  if (terminalOf(around) === null) return null;
  const lines = createInterface({ input: around.stdin, output: around.stderr });
  const ended = Promise.withResolvers<string>();
  lines.once("SIGINT", () => ended.reject(new Failure("Nothing was done", exitCodes.interrupted)));
  lines.once("close", () => ended.resolve("no"));
  const { signal } = around;
  let isAnswered = false;
  try {
    const asked = lines.question(`${printable(question)} [y/N] `, { signal });
    const answer = await Promise.race([asked, ended.promise]);
    isAnswered = true;
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (isEndOfInput(error) && !signal.aborted) return false;
    throw error;
  } finally {
    if (!isAnswered) around.stderr.write("\n"); // the question still stands in this line
    lines.close();
  }
}

/** Ctrl-D: readline gives up the question before it tells its end. */
function isEndOfInput(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
