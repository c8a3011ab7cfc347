import { exitCodes } from "./command.ts";
import { commands } from "./commands.ts";
import { helpText } from "./help.ts";
import { type Parsed, parseLine } from "./parse-line.ts";
import { Output } from "./output.ts";
import { type Surroundings, report, runCommand } from "./run-command.ts";
import { ownVersion } from "./version-skew.ts";

/** Runs one command line (without the names of Node and the script). Resolves with the exit code: see `exitCodes`. */
export async function runProgram(argv: readonly string[], around: Surroundings): Promise<number> {
  let parsed: Parsed;
  try {
    parsed = parseLine(commands, argv);
  } catch (error) {
    return report(error, new Output(around, argv.includes("--json")), around.signal);
  }
  if (parsed.kind === "version") {
    around.stdout.write(`${ownVersion()}\n`);
    return exitCodes.ok;
  }
  if (parsed.kind === "help") {
    const { path, entry, isAsked } = parsed;
    const { columns } = around.stdout;
    const text = helpText(commands, { path, entry, ...(columns && { columns }) });
    (isAsked ? around.stdout : around.stderr).write(`${text}\n`);
    return isAsked ? exitCodes.ok : exitCodes.usage;
  }
  const { command, args, options } = parsed;
  return runCommand(command, { args, options, around });
}
