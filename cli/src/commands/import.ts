import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, usageFailure } from "../command.ts";
import { importers } from "../import/importers.ts";

const HEAD_BYTES = 4096;

const options = new Map(
  importers.flatMap((importer) => importer.options ?? []).map((option) => [option.flags, option]),
);

export const importCommand: Command = {
  usage: "import <file>",
  isOfProject: true,
  summary: `Make functions of a file: ${importers.map(({ kind }) => kind).join(", ")}`,
  positionals: { file: { help: "what it is, is told by its content", completes: "file" } },
  details: [
    "Of an export, the function is made anew with its revisions; nothing that exists is replaced: [export.md](export.md).",
  ],
  examples: [
    { line: "isola import hello.isola.tar.gz", says: "the function as it was exported" },
    {
      line: "isola import hello.isola.tar.gz --name copy --without-route --env-file .env",
      says: "a copy beside it, with values of env that the export lacks",
    },
  ],
  json: "of an export: `name`, `liveRevision`, `revisions` (number here by number there), `url`",
  options: [...options.values()],
  async run(context, [file = ""], given) {
    const path = resolve(context.cwd, file);
    const head = await headOf(path);
    const importer = importers.find((one) => one.recognises(path, head));
    if (importer !== undefined) return importer.run(context, path, given);
    const kinds = importers.map(({ kind }) => kind).join(", ");
    throw usageFailure(`${path} is none of what can be imported: ${kinds}`);
  },
};

async function headOf(path: string): Promise<Buffer> {
  const cannot = (error: Error) => usageFailure(`${path} cannot be read: ${error.message}`);
  const status = await stat(path).catch((error: Error) => {
    throw cannot(error);
  });
  // A pipe would be waited for.
  if (!status.isFile()) throw usageFailure(`${path} is no file`);
  const file = await open(path).catch((error: Error) => {
    throw cannot(error);
  });
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
