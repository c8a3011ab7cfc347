import type { IsolaError } from "../errors.ts";
import { openArtifactStore } from "./artifact-store.ts";
import { readPackage } from "./read-package.ts";

/** Run as a process of its own with a limit on the size of files: prints how the put of a larger one fails. */
const store = await openArtifactStore(process.argv[2] as string);
const checked = await readPackage({ kind: "files", files: { large: "x".repeat(1_000_000) } });
await store.put(checked).then(
  () => process.stdout.write("{}"),
  ({ code, message, cause }: IsolaError) => {
    const { code: causeCode } = cause as NodeJS.ErrnoException;
    process.stdout.write(JSON.stringify({ code, message, cause: causeCode }));
  },
);
