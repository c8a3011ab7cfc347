import { findRuntimes } from "../server/src/drivers/runtimes.ts";
import { DEFAULT_DOCKER_HOST, openEngine } from "../server/src/images/engine.ts";
import { RuntimeImages } from "../server/src/images/runtime-images.ts";
import { root } from "./pinned-node.mjs";

// The images that tests need, in the engine that DOCKER_HOST names. `--offline`: of bases made of this machine's packages. What is there already is left alone.
const isOffline = process.argv.includes("--offline");
const engine = await openEngine(process.env.DOCKER_HOST || DEFAULT_DOCKER_HOST);
const images = new RuntimeImages({ engine });
const say = (line: string) => void process.stderr.write(`  ${line}\n`);
for (const runtime of await findRuntimes({ root, python: null })) {
  if (isOffline) await images.ensureOfflineBase(runtime, say);
  await images.ensure(runtime, say);
}
