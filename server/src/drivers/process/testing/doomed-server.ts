// Starts one sandbox whose code has stopped itself, so that it cannot notice anything, prints a line, and waits to be killed:
// `node doomed-server.ts <options as JSON>`.
import { fileURLToPath } from "node:url";
import { codeOf } from "../../conformance/code.ts";
import { Session } from "../../conformance/session.ts";
import type { RuntimeSpec } from "../../driver.ts";
import { findRuntimes } from "../../runtimes.ts";
import { createProcessDriver } from "../process-driver.ts";

const options = JSON.parse(process.argv[2] as string);
const driver = createProcessDriver({ ...options, log: { warn: () => {} } });
const root = fileURLToPath(new URL("../../../../..", import.meta.url));
const [node] = await findRuntimes({ root, python: null });
const session = await Session.start(driver, node as RuntimeSpec);
await session.init(codeOf.nodejs.files, codeOf.nodejs.handler);
session.sandbox.stdout.once("data", () => process.stdout.write("stopped\n"));
session.invokeAndForget({ op: "sayAndStop" });
