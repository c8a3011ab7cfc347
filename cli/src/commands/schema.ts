import { definitionFileSchema } from "@isola/api/definition-file";
import type { Command } from "../command.ts";

export const schemaCommand: Command = {
  usage: "schema",
  isLocal: true,
  summary: "Print the JSON Schema of isola.yaml, for editors and checks",
  examples: [{ line: "isola schema > isola.schema.json", says: "to be kept beside isola.yaml" }],
  json: "the schema",
  async run() {
    const schema = definitionFileSchema();
    return { json: schema, text: JSON.stringify(schema, null, 2) };
  },
};
