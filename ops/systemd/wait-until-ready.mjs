// ExecStartPost of isola.service: ends well once the server takes requests, so that what is ordered after the service finds it. Its address is the one that a ready server leaves in the data folder.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const WAIT_MS_MAX = 115_000;
const ASK_MS_MAX = 2000;
const PAUSE_MS = 100;

const dataDir = process.env.ISOLA_DATA;
if (!dataDir) {
  process.stderr.write("wait-until-ready: expected ISOLA_DATA, the data folder of the server\n");
  process.exit(2);
}

const end = Date.now() + WAIT_MS_MAX;
let last = "nothing was asked";
while (Date.now() < end) {
  try {
    const url = (await readFile(join(dataDir, "api-url"), "utf8")).trim();
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ASK_MS_MAX) });
    if (answer.status === 200) process.exit(0);
    last = `${url}/readyz answers ${answer.status}`;
  } catch (error) {
    last = error.cause?.message ?? error.message;
  }
  await sleep(PAUSE_MS);
}
process.stderr.write(`wait-until-ready: not ready after ${WAIT_MS_MAX} ms: ${last}\n`);
process.exit(1);
