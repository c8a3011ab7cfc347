import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Answer, requestBytes } from "../../server/src/comparisons/http-connection.ts";
import type { IsolaServer } from "../peers/isola.ts";
import type { DriverName } from "../../server/src/domain/function.ts";
import type { Family } from "../peers/isola-source.ts";
import { type Distribution, distributionOf } from "../../server/src/comparisons/statistics.ts";

export interface ColdRow {
  name: string;
  millis: Distribution;
  /** Median of starting the bare interpreter in the same run, in ms; null for that row itself. */
  reference: number | null;
  /** How the sandboxes came to be, as the server recorded it: `20 prewarmed`. */
  startKinds: string;
}

/** Of blank sandboxes, before one is taken: in life they wait for longer. */
export const BLANK_REST_MS = 250;

/** From spawn to the first output of the bare interpreter, which is the least that a process per call costs. */
export async function measureSpawn(family: Family, count: number): Promise<ColdRow> {
  const [command, args] =
    family === "nodejs"
      ? [process.execPath, ["-e", "process.stdout.write('hello')"]]
      : ["/usr/bin/python3", ["-c", "print('hello')"]];
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedAt = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    samples.push(performance.now() - startedAt);
    await exited;
  }
  return {
    name: `spawn ${family}, hello`,
    millis: distributionOf(samples),
    reference: null,
    startKinds: "",
  };
}

/** Deploys new functions and times the first call of each, on an open connection. Between them the server may refill its blank sandboxes. */
export async function measureCold(
  server: IsolaServer,
  given: {
    family: Family;
    count: number;
    reference: number;
    name: string;
    driver?: DriverName;
    /** How long blank sandboxes have been there, at least: they go on loading for a moment. */
    restMs?: number;
  },
): Promise<ColdRow> {
  const { driver = "process", restMs = 0 } = given;
  const samples: number[] = [];
  const answers: Answer[] = [];
  const connection = await server.connect();
  for (let i = 0; i < given.count; i++) {
    const name = `cold-${given.family}-${i}`;
    await server.deploy(name, { family: given.family, settings: { driver } });
    await server.blanksReady();
    if (restMs > 0) await delay(restMs);
    const request = requestBytes(`/${name}`);
    const startedAt = performance.now();
    const answer = await connection.call(request);
    samples.push(performance.now() - startedAt);
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.head} ${answer.body}`);
    answers.push(answer);
  }
  connection.close();
  const startKinds = await countStartKinds(server, answers);
  for (let i = 0; i < given.count; i++) await server.remove(`cold-${given.family}-${i}`);
  return {
    name: given.name,
    millis: distributionOf(samples),
    reference: given.reference,
    startKinds,
  };
}

async function countStartKinds(server: IsolaServer, answers: Answer[]): Promise<string> {
  await server.settled();
  const kinds = new Map<string, number>();
  for (const answer of answers) {
    const kind = await server.startKindOf(answer);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ");
}
