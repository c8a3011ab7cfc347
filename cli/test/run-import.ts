import assert from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { parse } from "yaml";
import { type Context, type Options, type Result, exitCodes } from "../src/command.ts";
import type { Finding } from "../src/import/findings.ts";
import { importers } from "../src/import/importers.ts";
import { fakeKey, startFakeApi } from "./fake-api.ts";
import { runIsola } from "./run-isola.ts";

/** A folder with these files, which goes away with the test. */
export function folderOf(t: TestContext, files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-import-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

/** What `isola import <file>` does: the importer that recognises the file takes it. */
export async function runImport(dir: string, file: string, options: Options = {}): Promise<Result> {
  const path = join(dir, file);
  const importer = importers.find((one) => one.recognises(path, headOf(path)));
  if (importer === undefined) throw new Error(`no importer takes ${file}`);
  const context = { cwd: dir, note() {} } as unknown as Context;
  return importer.run(context, path, options);
}

function headOf(path: string): Buffer {
  const head = Buffer.alloc(4096);
  const file = openSync(path, "r");
  const bytes = readSync(file, head);
  closeSync(file);
  return head.subarray(0, bytes);
}

export interface ImportedJson {
  functions: { name: string; from: string; settings: Record<string, any> }[];
  refused: string[];
  /** That have to be set for a deploy. */
  variables: string[];
  changed: Finding[];
  left: Finding[];
  files: string[];
  definition?: string;
}

export function jsonOf(result: Result): ImportedJson {
  return result.json as ImportedJson;
}

/** Throws where `isola deploy` cannot read the isola.yaml of a folder; its variables are set in `env`. */
export async function checkDefinition(
  dir: string,
  env: Record<string, string> = {},
): Promise<void> {
  const api = await startFakeApi();
  try {
    const around = { env: { ...env, ISOLA_URL: api.url, ISOLA_API_KEY: fakeKey }, cwd: dir };
    const { exitCode, stdout, stderr } = await runIsola(["deploy", "--check"], around);
    assert.equal(exitCode, exitCodes.drift, stdout + stderr);
  } finally {
    await api.close();
  }
}

/** The functions of the isola.yaml in a folder. */
export function functionsIn(dir: string): Record<string, any> {
  return parse(readFileSync(join(dir, "isola.yaml"), "utf8")).functions;
}

/** Places of what was left out, or changed. */
export function placesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ place }) => place);
}
