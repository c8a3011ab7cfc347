// Starts one sandbox, prints a line, and waits to be killed: `node doomed-server.ts <options as JSON>`.
import { fileURLToPath } from "node:url";
import { findRuntimes } from "../../runtimes.ts";
import { createProcessDriver } from "../process-driver.ts";

const options = JSON.parse(process.argv[2] as string);
const driver = createProcessDriver({ ...options, log: { warn: () => {} } });
const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const [runtime] = await findRuntimes({ root, python: null });
const sandbox = await driver.start(
  {
    id: "sb-doomed",
    runtime: runtime as NonNullable<typeof runtime>,
    limits: { memoryBytes: 2 ** 28, pidsMax: 64 },
    tmpBytes: 2 ** 20,
  },
  AbortSignal.timeout(30_000),
);
sandbox.control.once("data", () => process.stdout.write("started\n"));
