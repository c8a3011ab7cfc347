import type { Command } from "./command.ts";
import { deployCommand } from "./commands/deploy.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { envCommand } from "./commands/env.ts";
import { getCommand, listCommand, rmCommand, rollbackCommand } from "./commands/functions.ts";
import { imagesCommand } from "./commands/images.ts";
import { vmCommand } from "./commands/vm.ts";
import { invokeCommand } from "./commands/invoke.ts";
import { logsCommand } from "./commands/logs.ts";
import { upCommand } from "./commands/up.ts";

/** In the order of the help. */
export const commands: readonly Command[] = [
  upCommand,
  deployCommand,
  invokeCommand,
  listCommand,
  getCommand,
  logsCommand,
  envCommand,
  rollbackCommand,
  rmCommand,
  imagesCommand,
  vmCommand,
  doctorCommand,
];
