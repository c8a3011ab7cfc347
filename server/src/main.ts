import { fileURLToPath } from "node:url";
import { describeSettings, loadConfig, serverVersion } from "./config.ts";
import { IsolaError } from "./errors.ts";
import { closeInherited } from "./supervisor/inherited-descriptors.ts";
import { runRole } from "./supervisor/role.ts";
import { exitCodeOf, runSupervisor } from "./supervisor/supervisor.ts";

/**
 * The only file that knows every layer. Without arguments, or with settings as flags, it is the supervisor; the supervisor starts it again as `gateway` and as
 * `control`. With `backup` or `restore` it does that and ends. Exit codes: 0 stopped as asked, 1 a port is taken or a defect, 2 wrong settings, 3 the data folder is in use.
 */
const [first, ...rest] = process.argv.slice(2);

if (first === "gateway") {
  runRole("gateway", async (config, boot) => {
    const { startGateway } = await import("./gateway/role.ts");
    return startGateway(config, boot);
  });
} else if (first === "control") {
  runRole("control", async (config, boot) => {
    const { startControl } = await import("./control/role.ts");
    return startControl(config, boot);
  });
} else if (first === "backup" || first === "restore") {
  const { runBackupProgram } = await import("./backup/backup-program.ts");
  process.exitCode = await runBackupProgram(first, rest);
} else if (first === "--help" || first === "-h") {
  process.stdout.write(helpText());
} else if (first === "--version") {
  process.stdout.write(`${serverVersion()}\n`);
} else {
  await supervise(first === undefined ? [] : [first, ...rest]);
}

async function supervise(argv: string[]): Promise<void> {
  closeInherited();
  try {
    const config = loadConfig({ argv, env: process.env, cwd: process.cwd() });
    const exitCode = await runSupervisor(config, {
      entry: fileURLToPath(import.meta.url),
      onReady: (urls) => process.send?.({ type: "ready", ...urls, data: config.data }),
    });
    process.exit(exitCode);
  } catch (error) {
    if (!(error instanceof IsolaError)) throw error;
    process.stderr.write(`isola: ${error.message}\n`);
    process.exit(exitCodeOf(error));
  }
}

function helpText(): string {
  const rows = describeSettings().map(
    (row) =>
      `  ${row.flag}\n      ${row.help}. Takes ${row.expected}; default: ${row.default}. ${row.variable}`,
  );
  return `Usage: isola up [settings]

Starts the server in the foreground; Ctrl-C drains and stops it.
Flags win over ISOLA_* variables, these over the settings file, this over defaults.

  --config
      YAML or JSON file with settings by their names. ISOLA_CONFIG
${rows.join("\n")}
`;
}
