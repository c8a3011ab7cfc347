import { join } from "node:path";
import type { DriverName } from "../server/src/domain/function.ts";
import { findRuntimes } from "../server/src/drivers/runtimes.ts";
import { openEngine } from "../server/src/images/engine.ts";
import { RuntimeImages } from "../server/src/images/runtime-images.ts";
import { dockerSettings } from "../server/src/drivers/testing/docker-settings.ts";
import { measureBurst } from "./cases/burst.ts";
import { BLANK_REST_MS, type ColdRow, measureCold } from "./cases/cold.ts";
import { measureDeadlines } from "./cases/deadline.ts";
import { measureMemory } from "./cases/memory.ts";
import type { LoadGenerator } from "./load-generator.ts";
import { IsolaServer } from "./peers/isola.ts";
import type { Family } from "./peers/isola-source.ts";
import type { Results } from "./report.ts";
import { distributionOf } from "../server/src/comparisons/statistics.ts";

interface Given {
  isQuick: boolean;
  tempDir: string;
  results: Results;
}

const families: readonly Family[] = ["nodejs", "python"];
const root = join(import.meta.dirname, "..");

/** Drivers with containers beside a plain container per call, in the same engine and image. */
export async function measureContainers(
  load: LoadGenerator,
  drivers: readonly DriverName[],
  given: Given,
): Promise<void> {
  const plain = new Map<Family, ColdRow>();
  for (const family of families) {
    say(`plain containers, ${family}`);
    plain.set(family, await measurePlain(family, given.isQuick ? 6 : 30));
  }
  given.results.cold.push(...plain.values());
  for (const driver of drivers) await measureOn(driver, { load, plain, given });
  await measureBursts(["process", ...drivers], given);
}

/** How often first calls and deadlines are measured, and how many sandboxes idle. */
const quickCounts = { first: 6, deadlines: 10, idle: 4 };
const fullCounts = { first: 30, deadlines: 100, idle: 8 };

async function measureOn(
  driver: DriverName,
  { load, plain, given }: { load: LoadGenerator; plain: Map<Family, ColdRow>; given: Given },
): Promise<void> {
  const { isQuick, tempDir, results } = given;
  const { first, deadlines, idle } = isQuick ? quickCounts : fullCounts;
  for (const blanks of [2, 0]) {
    const dataDir = join(tempDir, `${driver}-${blanks}`);
    const server = await IsolaServer.start(dataDir, { blanks, driver });
    try {
      for (const family of families) {
        const how = blanks > 0 ? "blank sandbox" : "none ready";
        say(`first calls on ${driver}, ${how}, ${family}`);
        const reference = plain.get(family)?.millis.p50 ?? Number.NaN;
        const name = `isola ${family}, ${driver}, ${how}`;
        results.cold.push(
          await measureCold(server, {
            ...{ family, name, reference, count: first, driver },
            restMs: blanks > 0 ? BLANK_REST_MS : 0,
          }),
        );
      }
      if (blanks > 0) {
        say(`deadlines on ${driver}`);
        const trials = { count: deadlines, driver };
        results.deadlines.push(await measureDeadlines(load, server, trials));
        continue;
      }
      for (const family of families) {
        say(`memory of idle sandboxes on ${driver}, ${family}`);
        results.memory.push(await measureMemory(server, { family, count: idle, driver }));
      }
    } finally {
      await server.close();
    }
  }
}

async function measureBursts(
  drivers: readonly DriverName[],
  { tempDir, results }: Given,
): Promise<void> {
  say("200 calls at once");
  const server = await IsolaServer.start(join(tempDir, "bursts"), { blanks: 0 });
  try {
    for (const driver of drivers)
      results.bursts.push(await measureBurst(server, { driver, calls: 200, sandboxesMax: 20 }));
  } finally {
    await server.close();
  }
}

/** A container with a hello, from create to its first output, as a platform would that starts one per call. */
async function measurePlain(family: Family, count: number): Promise<ColdRow> {
  const engine = await openEngine(dockerSettings.dockerHost);
  const runtimes = await findRuntimes({ root, python: null });
  const runtime = runtimes.find((each) => each.family === family);
  if (runtime === undefined) throw new Error(`no ${family} on this machine`);
  const { id } = await new RuntimeImages({ engine }).ensure(runtime);
  const command =
    family === "nodejs"
      ? ["node", "-e", "process.stdout.write('hello')"]
      : ["python3", "-c", "print('hello')"];
  const samples: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const startedAt = performance.now();
    const container = await engine.docker.createContainer({
      ...{ Image: id, Entrypoint: command, Cmd: [], AttachStdout: true },
      HostConfig: { NetworkMode: "none" },
    });
    const output = await container.attach({ stream: true, stdout: true });
    await container.start();
    await new Promise((resolve) => output.once("data", resolve));
    samples.push(performance.now() - startedAt);
    await container.remove({ force: true });
  }
  return {
    name: `plain container ${family}, hello`,
    millis: distributionOf(samples),
    reference: null,
    startKinds: "",
  };
}

function say(text: string): void {
  process.stderr.write(`${text} ...\n`);
}
