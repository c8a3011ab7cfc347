import { definitionFileSchema } from "@isola/api/definition-file";
import type { Command } from "../command.ts";

export const schemaCommand: Command = {
  usage: "schema",
  summary: "Print the JSON Schema of isola.yaml, for editors and checks",
  async run() {
    const schema = definitionFileSchema();
    return { json: schema, text: JSON.stringify(schema, null, 2) };
  },
};
