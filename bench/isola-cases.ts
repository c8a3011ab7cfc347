import { join } from "node:path";
import { BLANK_REST_MS, type ColdRow, measureCold, measureSpawn } from "./cases/cold.ts";
import { measureDeadlines } from "./cases/deadline.ts";
import { measureDeploy } from "./cases/deploy.ts";
import { measureMemory } from "./cases/memory.ts";
import { measureRoutes } from "./cases/routes.ts";
import { measureScrapedGateway, measureScrapes } from "./cases/scrape.ts";
import type { LoadGenerator } from "./load-generator.ts";
import { IsolaServer } from "./peers/isola.ts";
import type { Family } from "./peers/isola-source.ts";
import type { Results } from "./report.ts";

interface Given {
  isQuick: boolean;
  tempDir: string;
  results: Results;
}

const families: readonly Family[] = ["nodejs", "python"];
const routeCounts = [1, 100, 10_000] as const;

/** What concerns Isola alone, on servers of its own: first calls, deployments, memory, many functions. */
export async function measureIsola(load: LoadGenerator, given: Given): Promise<void> {
  const { isQuick, tempDir, results } = given;
  const spawns = new Map<Family, ColdRow>();
  for (const family of families) spawns.set(family, await measureSpawn(family, isQuick ? 20 : 50));
  results.cold.push(...spawns.values());

  await onServer(join(tempDir, "blanks"), 2, async (server) => {
    for (const family of families) {
      say(`first calls, blank sandboxes, ${family}`);
      const name = `isola ${family}, blank sandbox`;
      const restMs = BLANK_REST_MS;
      results.cold.push(await coldRow(server, { family, name, isQuick, spawns, restMs }));
    }
    for (const family of families) {
      say(`deployments, ${family}`);
      results.deploy.push(await measureDeploy(server, { family, count: isQuick ? 20 : 100 }));
    }
    say("scrapes of /metrics");
    results.scrapes.push(...(await measureScrapes(isQuick ? 15 : 50)));
    results.scrapedGateway = await measureScrapedGateway(server);
    say("deadlines");
    results.deadlines.push(
      await measureDeadlines(load, server, { count: isQuick ? 30 : 200, driver: "process" }),
    );
  });
  await onServer(join(tempDir, "no-blanks"), 0, async (server) => {
    for (const family of families) {
      say(`first calls, no blank sandbox, ${family}`);
      const name = `isola ${family}, none ready`;
      results.cold.push(await coldRow(server, { family, name, isQuick, spawns }));
    }
    for (const family of families) {
      say(`memory of idle sandboxes, ${family}`);
      results.memory.push(await measureMemory(server, { family, count: 8 }));
    }
  });
  if (isQuick) {
    results.leftOut.push(
      "bodies of 1 KiB and more, and many functions: in the run without --quick",
    );
    return;
  }
  await onServer(join(tempDir, "routes"), 0, async (server) => {
    say(`calls with up to ${routeCounts.at(-1)} functions`);
    results.routes.push(...(await measureRoutes(load, server, routeCounts)));
  });
}

function coldRow(
  server: IsolaServer,
  given: {
    family: Family;
    name: string;
    isQuick: boolean;
    spawns: Map<Family, ColdRow>;
    restMs?: number;
  },
): Promise<ColdRow> {
  const { family, name, isQuick, spawns, restMs = 0 } = given;
  const reference = spawns.get(family)?.millis.p50 ?? Number.NaN;
  return measureCold(server, { family, name, reference, count: isQuick ? 20 : 50, restMs });
}

async function onServer(
  dataDir: string,
  blanks: number,
  measure: (server: IsolaServer) => Promise<void>,
): Promise<void> {
  const server = await IsolaServer.start(dataDir, { blanks });
  try {
    await measure(server);
  } finally {
    await server.close();
  }
}

function say(text: string): void {
  process.stderr.write(`${text} ...\n`);
}
