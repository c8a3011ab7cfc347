import { ensureDocker } from "./docker.mjs";
import { BY_HAND, ownEngine, stopEngine, takeEngine } from "./own-engine.mjs";
import { prepare, runScript, say } from "./prepare.mjs";

// node setup/engine.mjs start | stop: the Docker Engine that `npm test` starts and stops for itself, by hand and for longer. `npm test` uses one that runs.
await runScript(async ([verb]) => {
  if (verb === "stop") {
    await stopEngine(ownEngine());
    return 0;
  }
  if (verb !== "start") {
    say(`expected start or stop, given ${verb ?? "nothing"}`);
    return 2;
  }
  const engine = await ensureDocker(await prepare({ isolation: false }), say);
  if (engine === null) return 1;
  if (engine.host === ownEngine().host) takeEngine(ownEngine(), BY_HAND);
  process.stdout.write(`export DOCKER_HOST=${engine.host}\n`);
  return 0;
});
