import type { DriverName } from "../../server/src/domain/function.ts";
import { type Answer, requestBytes } from "../../server/src/comparisons/http-connection.ts";
import type { LoadGenerator } from "../load-generator.ts";
import { payloads, responseBodyBytes } from "../payload.ts";
import type { IsolaServer } from "../peers/isola.ts";
import { type Distribution, distributionOf } from "../../server/src/comparisons/statistics.ts";

export interface DeadlineRow {
  name: string;
  /** From the deadline until the caller was answered. */
  answered: Distribution;
  /** From the deadline until nothing of the sandbox was left. */
  dead: Distribution;
}

const timeoutMs = 150;
const loadConnections = 4;

/** Spins on every thread it may have. */
const spinning = {
  "index.mjs": `import { Worker } from "node:worker_threads";
export const handler = async () => {
  for (let i = 0; i < 2; i += 1) new Worker("for (;;);", { eval: true });
  for (;;);
};`,
};

/** How late deadlines are kept, one after the other, while callers of another function load the machine. */
export async function measureDeadlines(
  load: LoadGenerator,
  server: IsolaServer,
  { count, driver }: { count: number; driver: DriverName },
): Promise<DeadlineRow> {
  const beside = { driver, concurrency: loadConnections };
  await server.deploy("beside", { family: "nodejs", settings: beside });
  await server.deployFiles("spins", spinning, { driver, timeoutMs });
  const [payload] = payloads;
  if (payload === undefined) throw new Error("there are no payloads");
  const job = {
    port: server.gatewayPort,
    path: "/beside",
    requestBodyBytes: payload.bytes,
    responseBodyBytes: responseBodyBytes(payload),
    connections: loadConnections,
    warmupMs: 100,
    durationMs: count * timeoutMs * 2,
  };
  const loaded = load.run(job, { rootPid: server.rootPid, settleMs: 0 });
  const connection = await server.connect();
  const answers: Answer[] = [];
  for (let i = 0; i < count; i += 1) answers.push(await connection.call(requestBytes("/spins")));
  connection.close();
  await loaded;
  await server.settled();
  const answered: number[] = [];
  const dead: number[] = [];
  for (const answer of answers) {
    const { runMs, killMs } = await server.endOf(answer);
    answered.push(runMs - timeoutMs);
    dead.push(runMs - timeoutMs + killMs);
  }
  await server.remove("spins");
  await server.remove("beside");
  const name = `isola nodejs, ${await server.isolationOf(driver)}`;
  return { name, answered: distributionOf(answered), dead: distributionOf(dead) };
}
