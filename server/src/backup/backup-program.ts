import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { serverVersion } from "../config.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { exitCodeOf } from "../supervisor/supervisor.ts";
import { createBackup } from "./create-backup.ts";
import type { Manifest } from "./manifest.ts";
import { restoreBackup } from "./restore-backup.ts";

const INTERRUPTED = 130;

const usage = `Usage: isola backup <file> [--data <folder>] [--without-records]
       isola restore <file> --data <folder>

backup writes one archive of a data folder, whose server may run. restore makes a data folder of it, which must be empty or not be there yet.
The archive holds the admin key and every function's variables: keep it as you keep those.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the folder is in use, 130 Ctrl-C.
`;

/** What is told of an archive, as one line of JSON. */
export interface BackupSummary {
  file: string;
  data: string;
  createdAt: string;
  isola: string;
  files: number;
  bytes: number;
  /** Null after a restore. */
  archiveBytes: number | null;
  hasRecords: boolean;
}

/** Runs `backup` or `restore` in this process; resolves with the exit code. On success one line of JSON, a BackupSummary, goes to stdout. Ctrl-C leaves nothing behind. */
export async function runBackupProgram(
  name: "backup" | "restore",
  argv: readonly string[],
): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const given = readArguments(name, argv);
    if (given === null) {
      process.stdout.write(usage);
      return 0;
    }
    const summary = await (name === "backup" ? back : restore)(given, stop.signal);
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) {
      process.stderr.write("isola: interrupted; nothing was left behind\n");
      return INTERRUPTED;
    }
    if (!(error instanceof IsolaError)) throw error;
    process.stderr.write(`isola: ${error.message}\n`);
    return exitCodeOf(error);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

interface Given {
  file: string;
  data: string;
  withRecords: boolean;
}

/** Null: help was asked for. */
function readArguments(name: "backup" | "restore", argv: readonly string[]): Given | null {
  const { values, positionals } = parsed(argv);
  if (values.help === true) return null;
  const [file, ...others] = positionals;
  if (file === undefined || file === "" || others.length > 0)
    throw wrong(`${name} takes the archive, one file`);
  // To overwrite by mistake is what a restore must not do: it is told where to, always.
  const data = values.data ?? (name === "backup" ? (process.env.ISOLA_DATA ?? "data") : undefined);
  if (!data) throw wrong("restore needs --data <folder>, the data folder to make");
  const withoutRecords = values["without-records"] === true;
  if (name === "restore" && withoutRecords) throw wrong("restore takes no --without-records");
  return { file: resolve(file), data: resolve(data), withRecords: !withoutRecords };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        data: { type: "string" },
        "without-records": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw wrong(messageOf(error));
  }
}

function wrong(what: string): IsolaError {
  return new IsolaError("invalid_settings", `${what}\n\n${usage}`);
}

async function back(given: Given, signal: AbortSignal): Promise<BackupSummary> {
  const { file, data: dataDir, withRecords } = given;
  const about = { version: serverVersion(), nowMs: Date.now() };
  const { manifest, archiveBytes } = await createBackup({
    ...{ file, dataDir, withRecords, signal },
    ...about,
  });
  return summaryOf(given, manifest, archiveBytes);
}

async function restore(given: Given, signal: AbortSignal): Promise<BackupSummary> {
  const { file, data: dataDir } = given;
  return summaryOf(given, await restoreBackup({ file, dataDir, signal }), null);
}

function summaryOf(
  { file, data }: Given,
  { createdAt, isola, files }: Manifest,
  archiveBytes: number | null,
): BackupSummary {
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
  const hasRecords = files.some(({ name }) => name === "isola-records.db");
  return { file, data, createdAt, isola, files: files.length, bytes, archiveBytes, hasRecords };
}
