import { basename, dirname } from "node:path";
import { usageFailure } from "../../command.ts";
import { Findings } from "../findings.ts";
import type { Importer } from "../importer.ts";
import { SourceFolder, readSource } from "../source-folder.ts";
import { writeImport, writeOptions } from "../write-import.ts";
import { isTreeMap, readTree } from "../yaml-tree.ts";
import { readService } from "./service.ts";

/** A `serverless.yml` of the Serverless Framework, version 3 or 4, for AWS. */
export const serverlessImporter: Importer = {
  kind: "a serverless.yml (Serverless Framework; .yaml and .json too)",
  options: writeOptions,
  recognises(path, head) {
    const name = basename(path);
    if (/^serverless(\.[\w-]+)*\.(ya?ml|json|[cm]?[jt]s)$/.test(name)) return true;
    if (!/\.(ya?ml|json)$/.test(name)) return false;
    const text = head.toString("utf8");
    return /^(service|frameworkVersion):/m.test(text) && /^provider:/m.test(text);
  },
  async run(context, path, options) {
    const name = basename(path);
    if (/\.[cm]?[jt]s$/.test(name))
      throw usageFailure(
        `${path} is a program, and an import runs nothing: \`npx serverless print > serverless.yml\` in its folder makes a file that can be imported`,
      );
    const tree = readTree(readSource(path), name);
    if (!isTreeMap(tree)) throw usageFailure(`${path} must hold a mapping with \`functions:\``);
    const findings = new Findings();
    const folder = new SourceFolder(dirname(path));
    const imported = readService(tree, { folder, source: name }, findings);
    return writeImport(context, { path, tree, imported, findings }, options);
  },
};
