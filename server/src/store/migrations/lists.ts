import { deployments0001 } from "./0001-deployments.ts";
import { builds0002 } from "./0002-builds.ts";
import { records0001 } from "./0001-records.ts";
import { comparisons0003 } from "./0003-comparisons.ts";
import { chunks0002 } from "./0002-invocation-chunks.ts";
import type { Migration } from "./migration.ts";

/** In order; the number of a migration is its place. */
export const deploymentMigrations: readonly Migration[] = [
  deployments0001,
  builds0002,
  comparisons0003,
];
export const recordMigrations: readonly Migration[] = [records0001, chunks0002];
