import { basename, dirname } from "node:path";
import { usageFailure } from "../../command.ts";
import { Findings } from "../findings.ts";
import type { Importer } from "../importer.ts";
import { SourceFolder, readSource } from "../source-folder.ts";
import { writeImport, writeOptions } from "../write-import.ts";
import { isTreeMap, readTree } from "../yaml-tree.ts";
import { readTemplate } from "./template.ts";

/** A template of AWS SAM or CloudFormation, in YAML or JSON. */
export const samImporter: Importer = {
  kind: "a template.yaml (AWS SAM, CloudFormation; JSON too)",
  options: writeOptions,
  recognises(path, head) {
    if (!/\.(ya?ml|json|template)$/.test(basename(path))) return false;
    if (/^(sam-)?template\.(ya?ml|json)$/.test(basename(path))) return true;
    return /AWSTemplateFormatVersion|AWS::Serverless|AWS::Lambda::Function/.test(
      head.toString("utf8"),
    );
  },
  async run(context, path, options) {
    const name = basename(path);
    const tree = readTree(readSource(path), name);
    if (!isTreeMap(tree) || !isTreeMap(tree.Resources))
      throw usageFailure(`${path} must hold \`Resources:\`, a mapping, as templates of AWS do`);
    const findings = new Findings();
    const folder = new SourceFolder(dirname(path));
    const imported = readTemplate(tree, { folder, source: name }, findings);
    return writeImport(context, { path, tree, imported, findings }, options);
  },
};
