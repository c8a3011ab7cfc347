import type { Command, CommandGroup } from "./command.ts";
import { backupCommand, restoreCommand } from "./commands/backup.ts";
import { consoleCommand } from "./commands/console.ts";
import { compareCommands } from "./commands/compare.ts";
import { contextCommands } from "./commands/context.ts";
import { apiCommand } from "./commands/api.ts";
import { keysCommands } from "./commands/keys.ts";
import { buildsCommand, revisionsCommand } from "./commands/revisions.ts";
import { systemCommand } from "./commands/system.ts";
import { completionCommands } from "./commands/completion.ts";
import { costCommand } from "./commands/cost.ts";
import { debugCommand } from "./commands/debug.ts";
import { deployCommand } from "./commands/deploy.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { envCommands } from "./commands/env.ts";
import { eventsCommand } from "./commands/events.ts";
import { getCommand, listCommand, rmCommand, rollbackCommand } from "./commands/functions.ts";
import { imagesCommands } from "./commands/images.ts";
import { vmCommands } from "./commands/vm.ts";
import { initCommand } from "./commands/init.ts";
import { invokeCommand } from "./commands/invoke.ts";
import { invocationsCommands } from "./commands/invocations.ts";
import { logsCommand } from "./commands/logs.ts";
import { projectsCommands } from "./commands/projects.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { exportCommand } from "./commands/export.ts";
import { importCommand } from "./commands/import.ts";
import { schemaCommand } from "./commands/schema.ts";
import { schedulesCommands } from "./commands/schedules.ts";
import { samplesCommands } from "./commands/samples.ts";
import { upCommand } from "./commands/up.ts";

/** In the order of the help. */
export const commands: readonly (Command | CommandGroup)[] = [
  upCommand,
  consoleCommand,
  initCommand,
  deployCommand,
  schemaCommand,
  devCommand,
  invokeCommand,
  debugCommand,
  samplesCommands,
  listCommand,
  getCommand,
  logsCommand,
  eventsCommand,
  invocationsCommands,
  metricsCommand,
  schedulesCommands,
  envCommands,
  revisionsCommand,
  rollbackCommand,
  buildsCommand,
  rmCommand,
  exportCommand,
  importCommand,
  projectsCommands,
  imagesCommands,
  vmCommands,
  compareCommands,
  costCommand,
  backupCommand,
  restoreCommand,
  doctorCommand,
  systemCommand,
  keysCommands,
  apiCommand,
  contextCommands,
  completionCommands(() => commands),
];
