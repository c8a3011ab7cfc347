import type { DeployOptions, IsolaServer } from "./isola.ts";
import type { Subject } from "./subject.ts";

/**
 * `concurrency: 32` in one sandbox, because every other subject has one process that takes all calls at once; memory for 32 bodies of 1 MiB in every form they take, as
 * the others have no limit.
 */
const shared = { concurrency: 32, maxSandboxes: 1, memoryMiB: 2048 };

interface Variant {
  name: string;
  functionName: string;
  options: DeployOptions;
  isFullOnly: boolean;
}

const variants: Variant[] = [
  {
    name: "isola node",
    functionName: "hello-node",
    options: { family: "nodejs", settings: shared },
    isFullOnly: false,
  },
  {
    name: "isola node fetch",
    functionName: "hello-fetch",
    options: { family: "nodejs", style: "fetch", settings: shared },
    isFullOnly: false,
  },
  {
    name: "isola python",
    functionName: "hello-python",
    options: { family: "python", settings: shared },
    isFullOnly: false,
  },
  {
    name: "isola node, 1 at once",
    functionName: "hello-alone",
    options: { family: "nodejs", settings: { concurrency: 1, maxSandboxes: 4 } },
    isFullOnly: true,
  },
];

/** On drivers that not every machine can run. */
const further: Variant[] = (["docker", "gvisor"] as const).flatMap((driver) =>
  (["nodejs", "python"] as const).map((family) => ({
    name: `isola ${family === "nodejs" ? "node" : family}, ${driver}`,
    functionName: `${driver}-${family}`,
    options: { family, settings: { ...shared, driver } },
    isFullOnly: driver === "gvisor" && family === "python",
  })),
);

/** Deploys the functions that are compared with the peers. */
export async function isolaSubjects(server: IsolaServer, isQuick: boolean): Promise<Subject[]> {
  const all = [...variants];
  for (const variant of further)
    if ((await server.isolationOf(variant.options.settings?.driver ?? "process")) !== null)
      all.push(variant);
  const chosen = all.filter((variant) => !(isQuick && variant.isFullOnly));
  const subjects: Subject[] = [];
  for (const { name, functionName, options } of chosen) {
    await server.deploy(functionName, options);
    const connection = await server.connect();
    const answer = await connection.call(
      Buffer.from(`GET /${functionName} HTTP/1.1\r\nhost: x\r\n\r\n`),
    );
    connection.close();
    if (answer.status !== 200) throw new Error(`${name}: ${answer.head}\n${answer.body}`);
    subjects.push({
      name,
      isolation: (await server.isolationOf(options.settings?.driver ?? "process")) ?? "",
      rootPid: server.rootPid,
      mark: server.mark,
      port: server.gatewayPort,
      path: `/${functionName}`,
      settleMs: server.settleMs,
      takes: () => true,
    });
  }
  return subjects;
}
