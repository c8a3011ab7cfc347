import { requestBytes } from "../../server/src/comparisons/http-connection.ts";
import { chargedBytesOf, privateBytesOf } from "../memory.ts";
import type { IsolaServer } from "../peers/isola.ts";
import type { DriverName } from "../../server/src/domain/function.ts";
import type { Family } from "../peers/isola-source.ts";

export interface MemoryRow {
  name: string;
  sandboxes: number;
  bytesPerSandbox: number;
  /** What their control groups are charged with. */
  chargedPerSandbox: number;
  processesPerSandbox: number;
}

const fewSandboxes = 2;

/**
 * Private bytes of one idle sandbox: what `count` more of them add to all processes of the server that are not the server itself. What they share, such as the
 * process they were forked from, is in none of them. The server must keep no blank sandboxes.
 */
export async function measureMemory(
  server: IsolaServer,
  given: { family: Family; count: number; driver?: DriverName },
): Promise<MemoryRow> {
  const { family, count, driver = "process" } = given;
  const names = Array.from({ length: fewSandboxes + count }, (_, i) => `idle-${family}-${i}`);
  await callEach(server, { family, driver }, names.slice(0, fewSandboxes));
  const before = sandboxMemory(server);
  await callEach(server, { family, driver }, names.slice(fewSandboxes));
  const after = sandboxMemory(server);
  for (const name of names) await server.remove(name);
  return {
    name: `isola ${family}, ${driver}`,
    sandboxes: count,
    bytesPerSandbox: (after.bytes - before.bytes) / count,
    chargedPerSandbox: (after.charged - before.charged) / count,
    processesPerSandbox: (after.processes - before.processes) / count,
  };
}

/** One call each leaves one idle sandbox each. */
async function callEach(
  server: IsolaServer,
  { family, driver }: { family: Family; driver: DriverName },
  names: string[],
): Promise<void> {
  const connection = await server.connect();
  for (const name of names) {
    await server.deploy(name, { family, settings: { driver } });
    const answer = await connection.call(requestBytes(`/${name}`));
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.head} ${answer.body}`);
  }
  connection.close();
  await server.settled();
}

function sandboxMemory(server: IsolaServer) {
  const isServer = /server\/src\/(keeper\/)?main\.ts/;
  const own = privateBytesOf(server, (command) => !isServer.test(command));
  return { ...own, charged: chargedBytesOf(server.mark) };
}
