import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { usageFailure } from "./command.ts";

const folder = fileURLToPath(new URL("../samples/", import.meta.url));
const ENDING = ".json";

export interface Sample {
  name: string;
  /** As a person would edit it. */
  text: string;
}

export function sampleNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
}

export function readSample(name: string): Sample {
  const names = sampleNames();
  if (!names.includes(name))
    throw usageFailure(`expected a sample, one of ${names.join(", ")}; given: ${name}`);
  return { name, text: readFileSync(folder + name + ENDING, "utf8").trimEnd() };
}

/** What each is, of the table in samples/README.md. */
export function sampleSummaries(): Map<string, string> {
  const rows = readFileSync(`${folder}README.md`, "utf8").matchAll(/^\| (`.+) \| (.+) \| .+ \|$/gm);
  return new Map(
    [...rows].flatMap(([, names = "", what = ""]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]): [string, string] => [
        name,
        what.replaceAll("`", ""),
      ]),
    ),
  );
}
