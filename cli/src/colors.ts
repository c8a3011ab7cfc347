import { styleText } from "node:util";

/** Styles of words for a terminal; where there is none, or it shall have no colours, all give the text back as it is. */
export interface Colors {
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  dim(text: string): string;
  /** Without a meaning, to tell things apart. */
  cyan(text: string): string;
  magenta(text: string): string;
  blue(text: string): string;
}

/** Puts colours into text that is printable already, so that nothing of a server can bring its own. */
export type Paint = (text: string, colors: Colors) => string;

/** NO_COLOR: https://no-color.org */
export function colorsFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Colors {
  const isOn = stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  const style = (format: keyof Colors) => (text: string) =>
    isOn ? styleText(format, text, { validateStream: false }) : text;
  return {
    ...{ red: style("red"), green: style("green"), yellow: style("yellow"), dim: style("dim") },
    ...{ cyan: style("cyan"), magenta: style("magenta"), blue: style("blue") },
  };
}

/** Words by how good the news is. */
const words = {
  green: ["ok", "yes", "available", "ready", "done", "current", "created", "updated"],
  yellow: ["warn", "missing", "outdated", "cancelled", "running", "waiting"],
  red: [
    ...["NO", "error", "fatal", "failed", "unavailable", "not available", "not ready", "timeout"],
    ...["crash", "out_of_memory", "function_error", "platform_error"],
  ],
} as const;
const colorOf: ReadonlyMap<string, keyof typeof words> = new Map(
  Object.entries(words).flatMap(([color, list]) =>
    list.map((word) => [word, color as keyof typeof words] as const),
  ),
);
// The longest first: "not available" is no "available".
const anyWord = [...colorOf.keys()].sort((a, b) => b.length - a.length).join("|");
const isolated = new RegExp(`(?<![\\w./@-])(?:${anyWord})(?![\\w./@-])`);

/** The first such word of each line: that is where commands put the state of a thing. */
export const paintStates: Paint = (text, colors) =>
  text
    .split("\n")
    .map((line) =>
      line.replace(isolated, (word) => colors[colorOf.get(word) as keyof typeof words](word)),
    )
    .join("\n");

/** Lines of differences: `+` comes, `-` goes, `~` changes. */
export const paintChanges: Paint = (text, { green, red, yellow }) =>
  text
    .replace(/^ *\+ .*$/gm, (line) => green(line))
    .replace(/^ *- .*$/gm, (line) => red(line))
    .replace(/^ *~ .*$/gm, (line) => yellow(line));
