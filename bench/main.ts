import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { keepAliveText } from "./keep-alive/keep-alive.ts";
import { measureIsola } from "./isola-cases.ts";
import type { DriverName } from "../server/src/domain/function.ts";
import { Containers } from "../server/src/drivers/docker/containers.ts";
import { dockerFlavour } from "../server/src/drivers/docker/docker-driver.ts";
import { gvisorFlavour } from "../server/src/drivers/gvisor/gvisor-flavour.ts";
import { examine } from "../server/src/drivers/docker/probe.ts";
import { dockerSettings } from "../server/src/drivers/testing/docker-settings.ts";
import { measureContainers } from "./containers.ts";
import { LoadGenerator } from "./load-generator.ts";
import { thisMachine } from "./machine.ts";
import { payloads } from "./payload.ts";
import { measureWarm } from "./cases/warm.ts";
import { startFunctionsFramework } from "./peers/functions-framework.ts";
import { IsolaServer } from "./peers/isola.ts";
import { isolaSubjects } from "./peers/isola-subjects.ts";
import { startNodeHttp } from "./peers/node-http.ts";
import type { Peer } from "./peers/subject.ts";
import { startUndiciProxy } from "./peers/undici-proxy.ts";
import { startWorkerd } from "./peers/workerd.ts";
import { type Results, reportText } from "./report.ts";

const usage = `Usage: npm run bench [-- --quick] [-- --peers] | npm run bench -- keep-alive

  --quick   without bodies and with fewer samples: about 90 s, and 30 s for each driver with containers
  --peers   only what Isola is compared with

  keep-alive   policies of idle sandboxes, in simulated time; --seed <n> for another trace
`;

interface Options {
  isQuick: boolean;
  isPeersOnly: boolean;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      peers: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const [which] = positionals;
  const seed = Number(values.seed);
  const isKnown = which === undefined || (which === "keep-alive" && Number.isInteger(seed));
  if (values.help || !isKnown) {
    process.stdout.write(usage);
    process.exit(values.help ? 0 : 2);
  }
  if (which === "keep-alive") {
    const trace = { seed, functions: 300, hours: 72 };
    process.stdout.write(keepAliveText(trace));
    process.exit(0);
  }
  return { isQuick: values.quick, isPeersOnly: values.peers };
}

const quickOptions = { rounds: 3, warmupMs: 150, throughputMs: 700, latencyMs: 350 };
const fullOptions = { rounds: 3, warmupMs: 300, throughputMs: 1500, latencyMs: 1000 };

async function main(options: Options): Promise<void> {
  if (process.platform !== "linux") throw new Error("needs Linux: it reads /proc");
  const startedAt = new Date();
  const startedAtMs = performance.now();
  const results: Results = {
    startedAt: startedAt.toISOString(),
    kind: options.isQuick ? "quick" : "full",
    tookSeconds: 0,
    machine: thisMachine(),
    warm: [],
    cold: [],
    memory: [],
    deploy: [],
    deadlines: [],
    routes: [],
    bursts: [],
    scrapes: [],
    scrapedGateway: null,
    leftOut: [],
  };
  const tempDir = mkdtempSync(join(tmpdir(), "isola-bench-"));
  const load = new LoadGenerator();
  try {
    await measureWarmAll(load, { options, tempDir, results });
    if (!options.isPeersOnly) await measureIsola(load, { ...options, tempDir, results });
    if (!options.isPeersOnly) await measureOnContainers(load, { ...options, tempDir, results });
  } finally {
    rmSync(tempDir, { recursive: true, force: true });
    await load.close();
  }
  results.tookSeconds = (performance.now() - startedAtMs) / 1000;
  process.stdout.write(`\n${reportText(results)}`);
  writeResults(results);
}

async function measureWarmAll(
  load: LoadGenerator,
  given: { options: Options; tempDir: string; results: Results },
): Promise<void> {
  const { options, tempDir, results } = given;
  const peers: Peer[] = [];
  try {
    say("starting peers");
    peers.push(await startNodeHttp());
    peers.push(await startUndiciProxy(tempDir));
    peers.push(await startWorkerd(tempDir));
    peers.push(await startFunctionsFramework());
    if (!options.isPeersOnly) {
      say("starting Isola");
      const server = await IsolaServer.start(join(tempDir, "warm"), { blanks: 2 });
      peers.push({ subjects: [], close: () => server.close() });
      peers.push({
        subjects: await isolaSubjects(server, options.isQuick),
        close: async () => undefined,
      });
    }
    const subjects = peers.flatMap((peer) => peer.subjects);
    for (const payload of options.isQuick ? payloads.slice(0, 1) : payloads) {
      say(`warm calls, payload ${payload.name}`);
      const warmOptions = options.isQuick ? quickOptions : fullOptions;
      results.warm.push(...(await measureWarm(load, { subjects, payload, options: warmOptions })));
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
  }
}

/** On those that this machine can run. */
async function measureOnContainers(
  load: LoadGenerator,
  given: { isQuick: boolean; tempDir: string; results: Results },
): Promise<void> {
  const drivers: DriverName[] = [];
  for (const flavour of [dockerFlavour, gvisorFlavour(null)]) {
    const { problems } = await examine(new Containers(dockerSettings.dockerHost), flavour);
    if (problems.length === 0) drivers.push(flavour.name);
    else given.results.leftOut.push(`the ${flavour.name} driver: ${problems.join("; ")}`);
  }
  if (drivers.length > 0) await measureContainers(load, drivers, given);
}

function writeResults(results: Results): void {
  const dir = join(import.meta.dirname, "results");
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${results.startedAt.slice(0, 19).replaceAll(":", "-")}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  process.stdout.write(`written to ${file}\n`);
}

function say(text: string): void {
  process.stderr.write(`${text} ...\n`);
}

await main(readOptions());
