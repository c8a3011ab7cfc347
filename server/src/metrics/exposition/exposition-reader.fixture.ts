import assert from "node:assert/strict";

export interface ReadSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the text format as its description has it, apart from how it is written; fails on anything else. */
export function readExposition(text: string): ReadSample[] {
  assert.ok(text.endsWith("\n"), "the last line has an end");
  const samples: ReadSample[] = [];
  const seen = new Set<string>();
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const head = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (head !== null) {
      if (head[1] === "HELP") assert.ok(!seen.has(`# ${head[2]}`), `${head[2]} comes once`);
      seen.add(`# ${head[2]}`);
      family = head[2] as string;
      continue;
    }
    const [, name = "", braced = "", value] =
      /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\[\\n"])*",?)*)\})? (\S+)$/.exec(line) ?? [];
    assert.ok(name.startsWith(family) && family !== "", `not a sample of ${family}: ${line}`);
    assert.ok(!seen.has(`${name}{${braced}}`), `told twice: ${line}`);
    seen.add(`${name}{${braced}}`);
    assert.ok(Number.isFinite(Number(value)), line);
    samples.push({ name, labels: labelsIn(braced), value: Number(value) });
  }
  return samples;
}

function labelsIn(braced: string): Record<string, string> {
  const pairs = braced.matchAll(/([a-z_]+)="((?:[^"\\]|\\[\\n"])*)"/g);
  const plain = (text: string) =>
    text.replaceAll(/\\(.)/g, (_, each: string) => (each === "n" ? "\n" : each));
  return Object.fromEntries([...pairs].map(([, name, text]) => [name, plain(text as string)]));
}

/** The sum of the values whose labels include these. */
export function sumOf(
  samples: readonly ReadSample[],
  name: string,
  labels: Record<string, string> = {},
): number {
  return samples
    .filter((one) => one.name === name)
    .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
