import type { Code } from "@isola/api/functions";
import type { CodeInput } from "./ports.ts";

/** Code that came as JSON; its shape has been checked. */
export function codeInput(code: Code): CodeInput {
  if (code.files !== undefined) return { kind: "files", files: code.files };
  return { kind: "zip", bytes: Buffer.from(code.zip ?? "", "base64") };
}
