import type { SystemView } from "@isola/api/machine";
import type { Command } from "../command.ts";
import { table } from "../printable.ts";

export const systemCommand: Command = {
  usage: "system",
  summary: "Show what the server does now: calls, memory, sandboxes of each function",
  json: "what the API answers",
  async run({ client, signal }) {
    const system = await client.getSystem({ signal });
    return { json: system, text: textOf(system) };
  },
};

function textOf({ version, gatewayUrl, uptimeMs, logs, traces, gateway }: SystemView): string {
  const rows = [
    ["version", version],
    ["functions at", gatewayUrl],
    ["up", `${Math.round(uptimeMs / 1000)} s`],
    ["log lines", `${logs.lines} kept, ${logs.bytes} bytes, ${logs.tails} live tails`],
  ];
  if (traces !== null)
    rows.push(["traces", `${traces.callsExported} calls exported, ${traces.callsLost} lost`]);
  if (gateway === null) rows.push(["gateway", "does not answer"]);
  else
    rows.push(
      ["gateway up", `${Math.round(gateway.uptimeMs / 1000)} s`],
      ["functions", String(gateway.functions)],
      ["calls now", String(gateway.runningInvocations)],
      ["memory", `${gateway.memoryReservedMiB} of ${gateway.memoryBudgetMiB} MiB reserved`],
      ["records lost", `${gateway.recordsLost}, of them log lines ${gateway.logsLost}`],
    );
  const lines = rows.map(([name = "", text]) => `${name.padEnd(13)} ${text}`);
  return [...lines, ...poolTables(gateway)].join("\n");
}

function poolTables(gateway: SystemView["gateway"]): string[] {
  const pools = (gateway?.pools ?? []).map((pool) => [
    `${pool.project}/${pool.functionName}@${pool.revision}`,
    pool.driver,
    String(pool.running),
    String(pool.queued),
    Object.entries(pool.sandboxes)
      .filter(([, count]) => count > 0)
      .map(([state, count]) => `${count} ${state}`)
      .join(", "),
  ]);
  const blanks = (gateway?.blankPools ?? []).map((pool) => [
    pool.runtime,
    pool.driver,
    `${pool.ready} of ${pool.target}`,
    String(pool.starting),
  ]);
  const parts: string[] = [];
  if (pools.length > 0)
    parts.push("", table(["FUNCTION", "DRIVER", "RUNNING", "QUEUED", "SANDBOXES"], pools));
  if (blanks.length > 0)
    parts.push("", table(["BLANK SANDBOXES OF", "DRIVER", "READY", "STARTING"], blanks));
  return parts;
}
