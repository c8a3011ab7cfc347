// Starts one sandbox whose code has stopped itself, so that it cannot notice anything, prints a line, and waits to be killed:
// `node doomed-server.ts <settings as JSON> <boot id> <driver>`.
import { fileURLToPath } from "node:url";
import type { DriverName } from "../../domain/function.ts";
import { codeOf } from "../../drivers/conformance/code.ts";
import { Session } from "../../drivers/conformance/session.ts";
import type { RuntimeSpec } from "../../drivers/driver.ts";
import { findRuntimes } from "../../drivers/runtimes.ts";
import { lazyDriver } from "./lazy-driver.ts";

const [, , settings = "", bootId = "", name] = process.argv;
const driver = lazyDriver(name as DriverName, JSON.parse(settings), bootId);
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const [node] = await findRuntimes({ root, python: null });
const session = await Session.start(driver, node as RuntimeSpec);
await session.init(codeOf.nodejs.files, codeOf.nodejs.handler);
session.invokeAndForget({ op: "sayAndStop" });
await session.said("stopping");
process.stdout.write("stopped\n");
