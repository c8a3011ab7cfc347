import type { DriverName } from "../../server/src/domain/function.ts";
import { requestBytes } from "../../server/src/comparisons/http-connection.ts";
import type { IsolaServer } from "../peers/isola.ts";
import { type Distribution, distributionOf } from "../../server/src/comparisons/statistics.ts";

export interface BurstRow {
  name: string;
  /** From the first request to each answer. */
  millis: Distribution;
  /** Answers other than 200. */
  failedCalls: number;
  /** Sandboxes that there were at the end, and how many the function may have. */
  sandboxes: number;
  sandboxesMax: number;
}

/** `calls` at once to a function that was just deployed and works for 20 ms, with one call at a time in a sandbox. */
export async function measureBurst(
  server: IsolaServer,
  given: { driver: DriverName; calls: number; sandboxesMax: number },
): Promise<BurstRow> {
  const { driver, calls, sandboxesMax } = given;
  const name = `burst-${driver}`;
  const files = {
    "index.mjs":
      "export const handler = () => new Promise((resolve) => setTimeout(resolve, 20, 'done'));",
  };
  const settings = { driver, maxSandboxes: sandboxesMax, queueTimeoutMs: 60_000 };
  await server.deployFiles(name, files, settings);
  const connections = await Promise.all(Array.from({ length: calls }, () => server.connect()));
  const startedAt = performance.now();
  const answers = await Promise.all(
    connections.map(async (connection) => {
      const { status } = await connection.call(requestBytes(`/${name}`));
      return { status, ms: performance.now() - startedAt };
    }),
  );
  const sandboxes = await server.sandboxesOf(name);
  for (const connection of connections) connection.close();
  await server.remove(name);
  return {
    name: `${calls} calls at once to a cold function, ${driver}`,
    millis: distributionOf(answers.map(({ ms }) => ms)),
    failedCalls: answers.filter(({ status }) => status !== 200).length,
    sandboxes,
    sandboxesMax,
  };
}
