import type { Importer } from "./importer.ts";

/** Asked in this order; the first that recognises the file takes it. */
export const importers: readonly Importer[] = [];
