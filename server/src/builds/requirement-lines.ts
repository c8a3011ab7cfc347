import { posix } from "node:path";
import { IsolaError } from "../errors.ts";
import type { PackageSources } from "./read-sources.ts";

/** The lines of a requirements file as pip reads them: those that end in a backslash joined with the next, without comments and needless blanks, none empty. */
export function requirementLines(text: string): string[] {
  const joined: string[] = [];
  let begun = "";
  for (const line of text.split(/\r\n|\r|\n/)) {
    const isComment = /^\s*#/.test(line);
    if (line.endsWith("\\") && !isComment) {
      begun += line.replace(/^\\+|\\+$/g, "");
      continue;
    }
    joined.push(`${begun}${isComment ? " " : ""}${line}`);
    begun = "";
  }
  joined.push(begun);
  return joined
    .map((line) =>
      line
        .replace(/(?:^|\s)#.*$/, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .filter((line) => line !== "");
}

const flags = new Set(["--no-index", "--pre", "--prefer-binary", "--require-hashes"]);
const withValue = new Set([
  ...["-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host"],
  ...["--use-feature", "--only-binary", "-r", "--requirement", "-c", "--constraint"],
]);
const including = new Set(["-r", "--requirement", "-c", "--constraint"]);

interface Option {
  name: string;
  /** null: it stands without one. */
  value: string | null;
}

/** Of a line that begins with a dash. What follows an option that is none of these is given as if it were one. */
function optionsOf(line: string): Option[] {
  const words = (line.match(/(?:[^\s"']|"[^"]*"|'[^']*'|["'])+/g) ?? []).map((word) =>
    word.replace(/["']/g, ""),
  );
  const found: Option[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    const short = /^(-[a-z])(.+)$/.exec(word);
    const long = /^(--[^=]*)=(.*)$/s.exec(word);
    const [, name, attached] = short ?? long ?? [];
    if (name !== undefined) found.push({ name, value: attached as string });
    else if (!withValue.has(word)) found.push({ name: word, value: null });
    else {
      at += 1;
      found.push({ name: word, value: words[at] ?? "" });
    }
  }
  return found;
}

/** Where pip looks for a file that a line of `from` names; null: outside of the package. */
function placeOf(path: string, from: string): string | null {
  if (path.startsWith("/") || /^[a-z]+:/i.test(path)) return null;
  const place = posix.join(posix.dirname(from), path);
  return place.startsWith("../") ? null : place;
}

/** `requirements.txt` and those files of the package that it includes, and these, as far as `sources` has their text. */
export function requirementFiles(sources: PackageSources): string[] {
  const found = new Set(["requirements.txt"]);
  for (const name of found)
    for (const line of requirementLines(sources.text(name) ?? ""))
      for (const option of line.startsWith("-") ? optionsOf(line) : []) {
        const place = including.has(option.name) ? placeOf(option.value ?? "", name) : null;
        if (place !== null && sources.paths.includes(place)) found.add(place);
      }
  return [...found];
}

/** Throws `invalid_package` where `requirements.txt`, or a file that it includes, asks pip for anything but wheels. */
export function checkWheelsOnly(sources: PackageSources): void {
  for (const name of requirementFiles(sources)) {
    const text = sources.text(name);
    if (text === null)
      throw refused(
        name,
        "included files of at most 1 MiB each, 64 in all, not nested deeper than 4",
        name,
      );
    checkText(name, text);
    for (const line of requirementLines(text)) {
      if (/\$\{[A-Z0-9_]+\}/.test(line)) throw refused(name, "a line without variables", line);
      if (line.startsWith("-")) checkOptions(name, line, sources);
      else checkRequirement(name, line);
    }
  }
}

/** pip believes what a file says of its encoding: what is checked has to be what is installed. */
function checkText(name: string, text: string): void {
  for (const line of text.split("\n", 2)) {
    const [, told] = (line.startsWith("#") && /coding[:=]\s*([-\w.]+)/.exec(line)) || [];
    if (told !== undefined && !/^(?:utf-?8|ascii)$/i.test(told)) throw refused(name, "UTF-8", told);
  }
  const strange = /[^\P{Cc}\t\n\r]|[\u2028\u2029\uFEFF\uFFFD]/u.exec(text.replace(/^\uFEFF/, ""));
  if (strange === null) return;
  const code = strange[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  throw refused(name, "UTF-8 without control characters", `the character U+${code}`);
}

function checkOptions(name: string, line: string, sources: PackageSources): void {
  for (const { name: option, value } of optionsOf(line)) {
    if (including.has(option)) {
      const place = placeOf(value ?? "", name);
      if (place === null || !sources.paths.includes(place))
        throw refused(name, `${option} with a file of the package`, line);
    } else if (option === "--only-binary") {
      if (value?.includes(":none:")) throw refused(name, "--only-binary without :none:", line);
    } else if (value === null ? !flags.has(option) : !withValue.has(option))
      throw refused(name, `one of ${[...flags, ...withValue].join(", ")}`, line);
  }
}

const archive = /\.(?:zip|tar|tgz|tbz|txz|tlz|tar\.\w+)$/i;
const WHEEL = "a name with versions, or the URL or path of a file that ends in .whl";

/** A line that is no option, or one of `project.dependencies`. Throws `invalid_package`. */
export function checkRequirement(name: string, line: string): void {
  const options = /\s-.*$/s.exec(line)?.[0] ?? "";
  if (!/^(?:\s+--hash[= ]\S+)*\s*$/.test(options))
    throw refused(name, "no option but --hash after a requirement", line);
  const wanted = line.slice(0, line.length - options.length);
  const [, direct] = /^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@\s*(.*)$/s.exec(wanted) ?? [];
  const place = (direct ?? wanted).split(/\s/)[0] as string;
  if (direct !== undefined || /^[a-z][\w+.-]*:/i.test(place)) {
    const url = URL.parse(place);
    const isTaken = url !== null && ["https:", "http:", "file:"].includes(url.protocol);
    if (!isTaken || !url.pathname.endsWith(".whl")) throw refused(name, WHEEL, line);
    return;
  }
  const path = wanted
    .split(";")[0]
    ?.trim()
    .replace(/\[[^[\]]*\]$/, "") as string;
  const isPath = /^\.|[/\\]/.test(path) || archive.test(path);
  if (isPath && !path.endsWith(".whl")) throw refused(name, WHEEL, line);
}

function refused(file: string, expected: string, given: string): IsolaError {
  const shown = JSON.stringify(given.slice(0, 200));
  return new IsolaError(
    "invalid_package",
    `${file} should hold what is installed from wheels alone: expected ${expected}, got ${shown}; build.scripts allows builds from source`,
    { details: [{ path: file, expected, given: given.slice(0, 200) }] },
  );
}
