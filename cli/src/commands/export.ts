import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { FunctionView, RevisionView } from "@isola/api/functions";
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportManifest,
  exportLimits,
} from "@isola/api/export-manifest";
import { textOption } from "../arguments.ts";
import { type Command, type Context, Failure, usageFailure } from "../command.ts";
import { writeExport } from "../move/write-export.ts";
import { collectPages } from "../pages.ts";

export const exportCommand: Command = {
  usage: "export <name>",
  isOfProject: true,
  summary: "Write a function with its revisions into a file that `isola import` takes",
  positionals: { name: { help: "of the function", completes: "function" } },
  details: [
    "Settings, code and description of each revision, and which is live: [export.md](export.md). Values of `env` are left out unless `--with-env` is given.",
  ],
  examples: [
    { line: "isola export hello", says: "hello.isola.tar.gz, all revisions" },
    { line: "isola export hello --revisions live --with-env", says: "the live one, ready to run" },
  ],
  json: "`file`, `bytes`, `revisions`, `live`, `hasEnvValues`",
  options: [
    { flags: "--output <file>", help: "default: <name>.isola.tar.gz", completes: "file" },
    {
      flags: "--revisions <which>",
      help: "all, the default; live alone; or a number: the newest so many, and the live one",
      completes: ["all", "live"],
    },
    { flags: "--with-env", help: "with the values of env, which may be secrets: mode 0600" },
  ],
  async run(context, [name = ""], options) {
    const path = resolve(context.cwd, textOption(options, "output") ?? `${name}.isola.tar.gz`);
    const which = textOption(options, "revisions") ?? "all";
    if (!/^(all|live|[1-9]\d{0,8})$/.test(which))
      throw usageFailure(`--revisions takes all, live or a number from 1, given: ${which}`);
    if (existsSync(path)) throw usageFailure(`${path} is there already; name another --output`);
    const fn = await context.client.getFunction(name);
    const revisions = await revisionsOf(context, fn, which);
    const hasEnvValues = options.withEnv === true;
    if (hasEnvValues) refuseUnseen(revisions);
    const manifest = manifestOf(fn, revisions, hasEnvValues);
    const { client, signal } = context;
    const readCode = (revision: number) => client.getCode(name, { revision }, { signal });
    await writeExport(path, manifest, readCode, signal);
    const { size: bytes } = statSync(path);
    const count = manifest.revisions.length;
    const json = { file: path, bytes, revisions: count, live: manifest.live, hasEnvValues };
    const env = hasEnvValues
      ? "values of env are in it, as they are: keep the file to yourself"
      : "without values of env (--with-env)";
    const text = `${path}: ${count} revisions, ${manifest.live} is live, ${bytes} bytes; ${env}`;
    return { json, text };
  },
};

/** Oldest first. */
async function revisionsOf(
  { client }: Context,
  fn: FunctionView,
  which: string,
): Promise<RevisionView[]> {
  const all = await collectPages((page) => client.listRevisions(fn.name, page));
  const newest = which === "all" ? all.length : which === "live" ? 0 : Number(which);
  const wanted = all.filter((one, at) => at < newest || one.revision === fn.liveRevision);
  const { revisionsMax } = exportLimits;
  if (wanted.length > revisionsMax)
    throw new Failure(
      `${fn.name} has ${wanted.length} revisions and an export takes ${revisionsMax}: say --revisions ${revisionsMax - 1}`,
    );
  return wanted.reverse();
}

function refuseUnseen(revisions: readonly RevisionView[]): void {
  const isUnseen = revisions.some(({ env }) => Object.values(env).includes(null));
  if (isUnseen) throw new Failure("--with-env takes a key that may deploy: this one may only read");
}

function manifestOf(
  fn: FunctionView,
  revisions: readonly RevisionView[],
  hasEnvValues: boolean,
): ExportManifest {
  const { name, description, labels, liveRevision } = fn;
  return {
    format: EXPORT_FORMAT,
    version: EXPORT_VERSION,
    exportedAt: new Date().toISOString(),
    hasEnvValues,
    function: { name, description, labels },
    live: liveRevision,
    revisions: revisions.map((one) => {
      const { revision, reason, createdAt, codeDigest, codeBytes, ...rest } = one;
      const { isLive: _live, createdBy: _by, layer: _layer, ...settings } = rest;
      const names = Object.keys(settings.env);
      const env = hasEnvValues
        ? settings.env
        : Object.fromEntries(names.map((each) => [each, null]));
      const kept = { ...settings, env };
      return { revision, reason, createdAt, codeDigest, codeBytes, settings: kept };
    }),
  };
}
