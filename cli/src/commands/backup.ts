import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { textOption } from "../arguments.ts";
import { type Command, type Context, Failure, type Result, usageFailure } from "../command.ts";
import { dataFolderOf } from "../connection.ts";

const server = fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url));
const MiB = 1_048_576;
/** One line of JSON. */
const OUTPUT_CHARS_MAX = 100_000;

/** What the server's program says of an archive. */
interface Summary {
  file: string;
  data: string;
  createdAt: string;
  isola: string;
  files: number;
  bytes: number;
  archiveBytes: number | null;
  hasRecords: boolean;
}

export const backupCommand: Command = {
  usage: "backup <file>",
  summary:
    "Write one archive of a server on this machine, which may run: functions, code, keys, records",
  positionals: { file: { help: "the archive to make", completes: "file" } },
  details: ["More: [operations.md](operations.md#backup)."],
  examples: [{ line: "isola backup /backups/isola.tar.gz", says: "of the server here" }],
  json: "`file`, `data`, `createdAt`, `isola`, `files`, `bytes`, `archiveBytes`, `hasRecords`",
  isLocal: true,
  options: [
    {
      flags: "--data <folder>",
      help: "its data folder; default: that of the server here",
      completes: "folder",
    },
    { flags: "--without-records", help: "without invocations, logs, metrics and events" },
  ],
  async run(context, [file = ""], options) {
    const { env, cwd, checkoutData } = context;
    const given = textOption(options, "data");
    const folder = given === undefined ? dataFolderOf({ env, cwd, checkoutData }).path : given;
    const args = [resolve(cwd, file), "--data", resolve(cwd, folder)];
    if (options.withoutRecords === true) args.push("--without-records");
    const summary = await runServerProgram(context, ["backup", ...args]);
    const packed = `${mib(summary.archiveBytes ?? 0)} of ${mib(summary.bytes)}`;
    const left = summary.hasRecords ? "" : ", without records";
    return {
      json: summary,
      text: `${summary.file}: ${packed}, ${summary.files} files of ${summary.data}${left}; read back and found whole\nIt holds the admin key and the functions' variables: keep it where nobody else reads it.`,
    };
  },
};

export const restoreCommand: Command = {
  usage: "restore <file>",
  summary: "Make a data folder of an archive that `isola backup` wrote",
  positionals: { file: { help: "the archive", completes: "file" } },
  details: ["More: [operations.md](operations.md#restore)."],
  examples: [
    {
      line: "isola restore /backups/isola.tar.gz --data /var/lib/isola",
      says: "into a folder that is empty or not there",
    },
  ],
  json: "`file`, `data`, `createdAt`, `isola`, `files`, `bytes`, `hasRecords`",
  isLocal: true,
  options: [
    {
      flags: "--data <folder>",
      help: "the folder to make: empty, or not there yet",
      completes: "folder",
    },
  ],
  async run(context, [file = ""], options): Promise<Result> {
    const data = textOption(options, "data");
    if (data === undefined) throw usageFailure("restore needs --data <folder>, the folder to make");
    const { cwd } = context;
    const args = ["restore", resolve(cwd, file), "--data", resolve(cwd, data)];
    const summary = await runServerProgram(context, args);
    return {
      json: summary,
      text: `${summary.data}: ${summary.files} files, as they were at ${summary.createdAt}\nStart the server on it: isola up --data ${summary.data}`,
    };
  },
};

/** The server's program reads and writes its own data folder; this passes Ctrl-C on and waits for its end. */
async function runServerProgram(context: Context, args: readonly string[]): Promise<Summary> {
  const child = spawn(process.execPath, [server, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: context.env,
    cwd: context.cwd,
  });
  const stop = () => void child.kill("SIGINT");
  context.signal.addEventListener("abort", stop);
  let told = "";
  let complaint = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    told = (told + text).slice(0, OUTPUT_CHARS_MAX);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(0, OUTPUT_CHARS_MAX);
  });
  const [code] = (await once(child, "close")) as [number | null];
  context.signal.removeEventListener("abort", stop);
  if (code === 0) return JSON.parse(told) as Summary;
  throw new Failure(complaint.trim().replace(/^isola: /, "") || "it ended by a signal", code ?? 1);
}

function mib(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`;
}
