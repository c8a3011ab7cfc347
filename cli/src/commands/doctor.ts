import { ApiError } from "@isola/client";
import type { DriverView } from "@isola/api/machine";
import { paintStates } from "../colors.ts";
import { type Command, type Context, type Result, exitCodes } from "../command.ts";

export const doctorCommand: Command = {
  usage: "doctor",
  summary: "Say what works on the server's machine, what does not, and the command that mends it",
  json: "`url`, `isReady`, and, where the server answers, `drivers`, `runtimes`, `system` of the API",
  async run(context) {
    const problem = await readinessProblem(context);
    if (problem?.code === "unreachable") return unreachable(context);
    const [{ items: drivers }, { items: runtimes }, system] = await Promise.all([
      context.client.listDrivers(),
      context.client.listRuntimes(),
      context.client.getSystem(),
    ]);
    const isReady = problem === null;
    const isGood = isReady && drivers.some((driver) => driver.isAvailable);
    const lines = [
      `Isola ${system.version} at ${context.url}, functions at ${system.gatewayUrl}`,
      isReady ? "ready" : `not ready: ${problem.message}`,
      `runtimes: ${runtimes.map(({ name, version }) => `${name} (${version})`).join(", ") || "none"}`,
      ...drivers.flatMap(shownDriver),
    ];
    return {
      json: { url: context.url, isReady, drivers, runtimes, system },
      text: lines.join("\n"),
      paint: paintStates,
      exitCode: isGood ? exitCodes.ok : exitCodes.failed,
    };
  },
};

/** What keeps the server from taking requests; null when nothing does. */
async function readinessProblem({ client }: Context): Promise<ApiError | null> {
  try {
    await client.getReadiness();
    return null;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 503 || error.status === 0)) return error;
    throw error;
  }
}

function unreachable({ url, urlSource }: Context): Result {
  const text = `No server answers at ${url} (from ${urlSource}).
The server itself looks at the machine: start it with \`isola up\` (or \`npm start\`), then run \`isola doctor\` again; it starts
also where isolation is missing, and then says what to install. A server elsewhere: set ISOLA_URL and ISOLA_API_KEY.`;
  return { json: { url, isReady: false }, text, exitCode: exitCodes.unreachable };
}

function shownDriver(driver: DriverView): string[] {
  const versions = Object.entries(driver.versions).map(([name, version]) => `${name} ${version}`);
  const state = driver.isAvailable ? `available, tier ${driver.tier}` : "not available";
  return [
    `driver ${driver.name}: ${state}${versions.length > 0 ? ` (${versions.join(", ")})` : ""}`,
    ...driver.protections.map(
      ({ name, isEnforced, how }) => `  ${isEnforced ? "yes" : "NO "} ${name}: ${how}`,
    ),
    ...driver.problems.map((problem) => `  problem: ${problem}`),
    ...driver.fixes.map((fix) => `  fix: ${fix}`),
  ];
}
