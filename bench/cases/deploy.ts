import { type HttpConnection, requestBytes } from "../../server/src/comparisons/http-connection.ts";
import type { IsolaServer } from "../peers/isola.ts";
import type { Family } from "../peers/isola-source.ts";
import { type Distribution, distributionOf } from "../../server/src/comparisons/statistics.ts";

export interface DeployRow {
  name: string;
  millis: Distribution;
  calls: number;
  failedCalls: number;
}

const answerMsMax = 10_000;

/** From the request that brings new code until a call, made over and over meanwhile, gets an answer of it. */
export async function measureDeploy(
  server: IsolaServer,
  given: { family: Family; count: number },
): Promise<DeployRow> {
  const name = `deploy-${given.family}`;
  await server.deploy(name, { family: given.family });
  const connection = await server.connect();
  const samples: number[] = [];
  let calls = 0;
  let failedCalls = 0;
  for (let i = 0; i < given.count; i++) {
    const text = `revision ${i}`;
    await server.blanksReady();
    const startedAt = performance.now();
    const deployed = server.replaceCode(name, { family: given.family, text });
    const seen = await callUntil(connection, name, text);
    samples.push(performance.now() - startedAt);
    calls += seen.calls;
    failedCalls += seen.failed;
    await deployed;
  }
  connection.close();
  await server.remove(name);
  return { name: `isola ${given.family}`, millis: distributionOf(samples), calls, failedCalls };
}

async function callUntil(connection: HttpConnection, name: string, text: string) {
  const request = requestBytes(`/${name}`);
  const until = performance.now() + answerMsMax;
  let failed = 0;
  for (let calls = 1; ; calls++) {
    const answer = await connection.call(request);
    if (answer.status !== 200) failed++;
    if (String(answer.body) === text) return { calls, failed };
    if (performance.now() > until) throw new Error(`${name}: ${text} is not seen: ${answer.body}`);
  }
}
