import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { Document } from "yaml";
import { textOption } from "../arguments.ts";
import {
  type Context,
  Failure,
  type Option,
  type Options,
  type Result,
  exitCodes,
  usageFailure,
} from "../command.ts";
import { DEFINITION_FILE } from "../deploy/definition.ts";
import type { Findings } from "./findings.ts";
import { importReport, notTaken } from "./import-report.ts";
import type { Imported } from "./imported.ts";
import { type PlacedFunction, placeFunctions } from "./place-functions.ts";
import type { TreeMap } from "./yaml-tree.ts";

export const writeOptions: readonly Option[] = [
  { flags: "--output <file>", help: "where isola.yaml is written; left out: beside the file" },
  { flags: "--force", help: "replace an isola.yaml that is there" },
  { flags: "--stdout", help: "print isola.yaml and write nothing" },
];

/** A file that the import makes. */
export interface MadeFile {
  path: string;
  text: string;
}

interface Importing {
  /** Of the file that is imported. */
  path: string;
  /** What it holds, as it is written there. */
  tree: TreeMap;
  imported: Imported;
  findings: Findings;
}

/** Writes isola.yaml and what belongs to it. Nothing is written where a file is in the way, or no function came over. */
export function writeImport(
  context: Context,
  { path, tree, imported, findings }: Importing,
  options: Options,
): Result {
  if (imported.functions.length === 0) {
    findings.sortBy(tree);
    throw new Failure(notTaken(path, findings));
  }
  const isShown = options.stdout === true;
  const output = textOption(options, "output");
  if (isShown && output !== undefined)
    throw usageFailure("--stdout and --output exclude each other");
  const definition =
    output === undefined ? join(dirname(path), DEFINITION_FILE) : resolve(context.cwd, output);
  const dir = dirname(definition);
  const codeDirOf = ({ codeDir }: { codeDir: string }) =>
    shownPath(relative(dir, join(dirname(path), codeDir)));
  const placed = placeFunctions(imported, codeDirOf, findings);
  const source = basename(path);
  const files = [{ path: definition, text: definitionText(placed, source) }];
  if (!isShown) {
    refuseReplacing(definition, options.force === true);
    files.push(...ignoreFiles(dirname(path), imported, findings));
    for (const file of files) write(file);
  }
  findings.sortBy(tree);
  const isWhole = imported.refused.length === 0;
  const report = importReport({ source, placed, findings, refused: imported.refused });
  const written = isShown ? [] : files.map((file) => file.path);
  if (isShown) context.note(report.text([]));
  return {
    json: { ...report.json, files: written, ...(isShown && { definition: files[0]?.text }) },
    text: isShown
      ? (files[0]?.text.trimEnd() ?? "")
      : report.text(written.map((one) => relative(context.cwd, one) || one)),
    exitCode: isWhole ? exitCodes.ok : exitCodes.failed,
  };
}

function definitionText(placed: readonly PlacedFunction[], source: string): string {
  const functions = Object.fromEntries(placed.map(({ name, settings }) => [name, settings]));
  const document = new Document({ functions });
  document.commentBefore = ` Made of ${source} by \`isola import\`.`;
  return document.toString({ lineWidth: 0 });
}

function shownPath(path: string): string {
  const slashed = path.split(sep).join("/");
  return slashed === "" ? "." : slashed.startsWith(".") ? slashed : `./${slashed}`;
}

/** The .isolaignore of each code folder. One that is there is the person's own: what it lacks is told. */
function ignoreFiles(dir: string, { ignored }: Imported, findings: Findings): MadeFile[] {
  return Object.entries(ignored).flatMap(([codeDir, lines]) => {
    if (lines.length === 0) return [];
    const path = join(dir, codeDir, ".isolaignore");
    if (!existsSync(path)) return [{ path, text: `${lines.join("\n")}\n` }];
    findings.leave(path, `is there already; what the package does not need: ${lines.join(" ")}`);
    return [];
  });
}

function refuseReplacing(path: string, isForced: boolean): void {
  if (isForced || !existsSync(path)) return;
  throw usageFailure(
    `${path} is there already: --force replaces it, --output writes elsewhere, --stdout only shows`,
  );
}

function write({ path, text }: MadeFile): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
