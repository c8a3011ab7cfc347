import { exportImporter } from "../move/export-importer.ts";
import type { Importer } from "./importer.ts";
import { samImporter } from "./sam/sam-importer.ts";
import { serverlessImporter } from "./serverless/serverless-importer.ts";

/** Asked in this order; the first that recognises the file takes it. */
export const importers: readonly Importer[] = [exportImporter, serverlessImporter, samImporter];
