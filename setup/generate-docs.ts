import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedDocs } from "./generated-docs.ts";

const root = join(import.meta.dirname, "..");
for (const [path, text] of generatedDocs()) writeFileSync(join(root, path), text);
