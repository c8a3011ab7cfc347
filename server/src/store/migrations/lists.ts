import { deployments0001 } from "./0001-deployments.ts";
import { builds0002 } from "./0002-builds.ts";
import { sessions0003 } from "./0003-sessions.ts";
import { projects0004 } from "./0004-projects.ts";
import { comparisons0005 } from "./0005-comparisons.ts";
import { schedules0006 } from "./0006-schedules.ts";
import { records0001 } from "./0001-records.ts";
import { chunks0002 } from "./0002-invocation-chunks.ts";
import { logsAndEvents0003 } from "./0003-logs-and-events.ts";
import { metrics0004 } from "./0004-metrics.ts";
import type { Migration } from "./migration.ts";

/** In order; the number of a migration is its place. */
export const deploymentMigrations: readonly Migration[] = [
  deployments0001,
  builds0002,
  sessions0003,
  projects0004,
  comparisons0005,
  schedules0006,
];
export const recordMigrations: readonly Migration[] = [
  records0001,
  chunks0002,
  logsAndEvents0003,
  metrics0004,
];
