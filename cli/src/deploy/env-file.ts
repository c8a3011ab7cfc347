import { parseEnv } from "node:util";
import { readSmallFile } from "./small-file.ts";

const ASSIGNMENT = /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(.*)$/;

/**
 * The variables of a dotenv file, as Node reads them: `NAME=value`, `export`, comments, values in quotes over several lines. What Node would pass over in silence is reported with
 * its line, and then the file counts as empty.
 */
export function readEnvFile(
  path: string,
  report: (line: number | null, text: string) => void,
): Record<string, string> {
  let text: string;
  try {
    text = readSmallFile(path);
  } catch (error) {
    report(null, `cannot be read: ${(error as Error).message}`);
    return {};
  }
  const plain = text.replaceAll("\r\n", "\n");
  const wrong = wrongLines(plain);
  for (const { line, problem } of wrong) report(line, problem);
  return wrong.length > 0 ? {} : ({ ...parseEnv(plain) } as Record<string, string>);
}

function wrongLines(text: string): { line: number; problem: string }[] {
  const wrong: { line: number; problem: string }[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (/^\s*(#.*)?$/.test(line)) continue;
    const value = ASSIGNMENT.exec(line)?.[1];
    if (value === undefined) {
      // Never the line itself: it may be a part of a secret.
      wrong.push({ line: at + 1, problem: "expected NAME=value, a comment or nothing" });
      continue;
    }
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined || value.indexOf(quote, 1) > 0) continue;
    const end = lines.findIndex((later, index) => index > at && later.includes(quote));
    if (end === -1) {
      wrong.push({ line: at + 1, problem: `the quote ${quote} that begins here does not end` });
      break;
    }
    at = end;
  }
  return wrong;
}
