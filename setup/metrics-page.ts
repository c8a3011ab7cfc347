import { metricNames, metricSpecs, statisticsOf } from "../server/src/metrics/catalogue.ts";
import { notice, table, tableRow } from "./docs-table.ts";
import { prometheusSection } from "./prometheus-section.ts";

const head = ["Name", "Unit", "Statistics", "What it says"];

/** docs/metrics.md. */
export function metricsPage(): string {
  return [
    ...[notice, "# Metrics", introduction],
    ...["## Of invocations", ofInvocations, table(head, rowsOf("invocations"))],
    ...["## Of the gateway", ofGateway, table(head, rowsOf("gateway"))],
    ...["## Of one call", ofCalls, table(["Field", "What it says"], callRows), readings],
    ...["## How long they are kept", kept, fullDisk],
    ...prometheusSection(),
  ]
    .join("\n\n")
    .replace(`${notice}\n\n`, `${notice}\n`)
    .concat("\n");
}

function rowsOf(source: "invocations" | "gateway"): string[] {
  return metricNames
    .filter((name) => metricSpecs[name].source === source)
    .map((name) => {
      const spec = metricSpecs[name];
      const details = "detail" in spec ? `; \`${name}:<${spec.detail}>\` of each` : "";
      const statistics = statisticsOf[spec.kind].join(", ") + details;
      return tableRow([`\`${name}\``, spec.unit, statistics, spec.help]);
    });
}

const introduction = `\`GET /api/v1/metrics\` and \`isola metrics\` tell what was counted and measured, by steps of time (\`since\`, \`until\`, \`stepMs\`) and groups (\`groupBy\`), with filters and, with \`compare=previous\`, the time before. [Prometheus](#prometheus) has names of its own.
Unit \`1\` is a number of things; \`GB-s\` is one GiB for one second. Each statistic has its value of the whole time and of each step; \`null\` says that nothing is known, or that there was nothing to take a mean or percentile of.`;

const ofInvocations = `Made of their records, so that sums are exact: a record counts once, whatever becomes of the processes between, in the minute in which its call was admitted.
Labels: \`project\`, \`function\`, \`revision\`, \`driver\`, \`outcome\`, \`startKind\` (\`none\`: the call never reached a sandbox). Percentiles come from buckets that are 2 % wide: they are less than 1 % from the exact ones, for any time and group.`;

const ofGateway = `Sampled every five seconds; sums are what was counted since the sample before. Labels: \`project\`, \`function\`, \`revision\`, \`driver\`. Blank sandboxes and those of builds belong to their driver and to no function. Where the gateway did not look
(it was down, or what it saw could not be kept) there is \`null\`, and where it looked and found nothing 0. \`max\` is exact for one revision of a function, for one driver in a project and for everything, and \`null\` for groups of several of these, whose largest values
need not have come together.`;

const ofCalls = `\`GET /api/v1/invocations\` (\`isola invocations list\`, filtered by function, outcome, start kind, driver, time and least duration) and \`GET /api/v1/invocations/:id\` (\`isola invocations show\`, with its log lines) have for each call:`;

const callRows = [
  [
    "`queueMs`, `startMs`, `initMs`, `runMs`",
    "the phases, in this order; `totalMs` is all of them until the call was decided",
  ],
  [
    "`responseMs`",
    "the last part of `runMs`: from the head of the answer until its end; 0 where it came in one piece",
  ],
  ["`gbSeconds`", "memory of the function times init and run"],
  [
    "`cpuMs`",
    "what the kernel counted for everything in its sandbox from the reading before the call to the one after it, also for what else ran in there meanwhile. A sandbox's first call has its init too, and its start where none was blank. " +
      "`null` where others were inside meanwhile (`concurrency`), where the next call came before the reading, or where it was not read",
  ],
  [
    "`memoryPeakBytes`",
    "the most that its sandbox had held by the end of the call, in its whole life; `null` where it was not read",
  ],
  [
    "`killMs`",
    "from the decision to kill its sandbox until nothing of it was left; `null` where it was not killed",
  ],
].map(tableRow);

const readings = `Sandboxes are read after the answer, each at most four times a second and all together at most fifty times: of calls that follow each other closely few have \`cpuMs\`, while \`sandboxCpu\` has all of it. Calls that are killed, or end with their sandbox, are read from what the kernel still counts then.
Without cgroups (\`isola doctor\`) CPU time is not counted.`;

const kept = `Minutes are kept for \`minuteMetricsKeptHours\` (48 h), hours for \`hourMetricsKeptDays\` (62 days), days for \`dayMetricsKeptDays\` (800 days); records for \`recordsKeptHours\`, at most \`invocationsKeptMax\`. A step of whole days is read from days, one of whole hours from hours, any other from minutes; days and hours begin
in UTC. What is not added up yet is read from what is finer, so that a step is the same whatever it was read from. A function that is called every minute takes about 250 bytes a minute as minutes; one that is not called takes nothing. Everything lies in \`isola-records.db\`.`;

const fullDisk = `With a full disk calls go on; the gateway keeps 64 MiB of records and 64 MiB of samples, then drops the oldest and counts the records among them: \`recordsLost\`, and \`gateway.recordsLost\` of \`GET /api/v1/system\`.`;
