import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ExportManifest } from "@isola/api/export-manifest";
import { driverNames } from "@isola/api/limits";
import { listOption, pairsOf, textOption } from "../arguments.ts";
import { type Context, Failure, type Options, type Result, usageFailure } from "../command.ts";
import { readEnvFile } from "../deploy/env-file.ts";
import { findFunction } from "../deploy/plan.ts";
import type { Importer } from "../import/importer.ts";
import { type Imported, importFunction } from "./import-function.ts";
import { readExport } from "./read-export.ts";

/** What `isola export` has written. */
export const exportImporter: Importer = {
  kind: "an export of a function (*.isola.tar.gz)",
  options: [
    { flags: "--name <name>", help: "of the function that is made; default: its own" },
    { flags: "--env <name=value>", help: "value that the export lacks", isRepeatable: true },
    {
      flags: "--env-file <file>",
      help: "file of such values, as .env",
      isRepeatable: true,
      completes: "file",
    },
    { flags: "--without-env", help: "leave out names of env that have no value" },
    { flags: "--without-route", help: "leave out routes, which another function may have" },
    {
      flags: "--driver <driver>",
      help: "of all its revisions, instead of their own",
      completes: driverNames,
    },
    {
      flags: "--runtime <runtime>",
      help: "of all its revisions, instead of their own",
      completes: "runtime",
    },
  ],
  recognises: (_path, head) => head[0] === 0x1f && head[1] === 0x8b,
  async run(context, path, options) {
    const dir = await mkdtemp(join(tmpdir(), "isola-import-"));
    try {
      const { manifest, codePath } = await readExport(path, dir, context.signal);
      const name = textOption(options, "name") ?? manifest.function.name;
      if ((await findFunction(context.client, name)) !== null)
        throw new Failure(
          `there is a function ${name} in this project already: import it under another --name`,
        );
      const revisions = settingsOf(context, manifest, options);
      const { client, signal } = context;
      const note = (text: string) => context.note(text);
      const imported = await importFunction({
        ...{ client, signal, note, name, manifest, revisions, codePath },
      });
      return resultOf(name, manifest, imported);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** What each revision is made with: its own, but for what the options replace. Throws a usage failure that names all values of env that are missing. */
function settingsOf(
  context: Context,
  manifest: ExportManifest,
  options: Options,
): Record<string, unknown>[] {
  const given = givenEnv(context, options);
  const driver = textOption(options, "driver");
  const runtime = textOption(options, "runtime");
  const missing = new Set<string>();
  const revisions = manifest.revisions.map(({ settings }) => {
    const env = Object.entries(settings.env ?? {}).flatMap(([name, own]) => {
      const value = Object.hasOwn(given, name) ? given[name] : own;
      if (value === null || value === undefined) missing.add(name);
      return typeof value === "string" ? [[name, value]] : [];
    });
    const replaced = {
      ...(driver && { driver }),
      ...(runtime && { runtime }),
      ...(options.withoutRoute === true && { route: null }),
    };
    return { ...settings, ...replaced, env: Object.fromEntries(env) };
  });
  if (missing.size > 0 && options.withoutEnv !== true)
    throw usageFailure(
      `the export has no values of env, and revisions have ${[...missing].sort().join(", ")}: give them with --env NAME=value or --env-file, or say --without-env`,
    );
  return revisions;
}

function givenEnv(context: Context, options: Options): Record<string, string> {
  const problems: string[] = [];
  const files = listOption(options, "envFile").map((file) =>
    readEnvFile(resolve(context.cwd, file), (line, text) => {
      problems.push(line === null ? `${file} ${text}` : `${file}:${line}: ${text}`);
    }),
  );
  if (problems.length > 0) throw usageFailure(problems.join("\n  "));
  return Object.assign({}, ...files, pairsOf(listOption(options, "env"), "--env"));
}

function resultOf(name: string, manifest: ExportManifest, imported: Imported): Result {
  const { fn, numbers } = imported;
  const renumbered = Object.entries(numbers).filter(([from, to]) => Number(from) !== to);
  const lines = [
    `${name}: imported, ${manifest.revisions.length} revisions, ${fn.liveRevision} is live, ${fn.url}`,
    ...(renumbered.length === 0
      ? []
      : [`  renumbered: ${renumbered.map(([from, to]) => `${from} is ${to}`).join(", ")}`]),
  ];
  const json = { name, liveRevision: fn.liveRevision, revisions: numbers, url: fn.url };
  return { json, text: lines.join("\n") };
}
