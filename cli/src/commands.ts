import type { Command } from "./command.ts";
import { deployCommand } from "./commands/deploy.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { envCommand } from "./commands/env.ts";
import { getCommand, listCommand, rmCommand, rollbackCommand } from "./commands/functions.ts";
import { imagesCommand } from "./commands/images.ts";
import { invokeCommand } from "./commands/invoke.ts";
import { invocationsCommand } from "./commands/invocations.ts";
import { logsCommand } from "./commands/logs.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { upCommand } from "./commands/up.ts";

/** In the order of the help. */
export const commands: readonly Command[] = [
  upCommand,
  deployCommand,
  invokeCommand,
  listCommand,
  getCommand,
  logsCommand,
  invocationsCommand,
  metricsCommand,
  envCommand,
  rollbackCommand,
  rmCommand,
  imagesCommand,
  doctorCommand,
];
