import type { Command } from "./command.ts";
import { consoleCommand } from "./commands/console.ts";
import { compareCommand } from "./commands/compare.ts";
import { costCommand } from "./commands/cost.ts";
import { deployCommand } from "./commands/deploy.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { envCommand } from "./commands/env.ts";
import { eventsCommand } from "./commands/events.ts";
import { getCommand, listCommand, rmCommand, rollbackCommand } from "./commands/functions.ts";
import { imagesCommand } from "./commands/images.ts";
import { vmCommand } from "./commands/vm.ts";
import { invokeCommand } from "./commands/invoke.ts";
import { invocationsCommand } from "./commands/invocations.ts";
import { logsCommand } from "./commands/logs.ts";
import { projectsCommand } from "./commands/projects.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { upCommand } from "./commands/up.ts";

/** In the order of the help. */
export const commands: readonly Command[] = [
  upCommand,
  consoleCommand,
  deployCommand,
  invokeCommand,
  listCommand,
  getCommand,
  logsCommand,
  eventsCommand,
  invocationsCommand,
  metricsCommand,
  envCommand,
  rollbackCommand,
  rmCommand,
  projectsCommand,
  imagesCommand,
  vmCommand,
  compareCommand,
  costCommand,
  doctorCommand,
];
