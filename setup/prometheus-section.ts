import {
  exportedMetrics,
  exportedNames,
} from "../server/src/metrics/exposition/exported-metrics.ts";
import { secondsBounds } from "../server/src/metrics/exposition/seconds-histogram.ts";
import { table, tableRow } from "./docs-table.ts";

/** What docs/metrics.md says of `GET /metrics`, one paragraph each. */
export function prometheusSection(): string[] {
  const rows = exportedNames.map((name) => {
    const { type, labels, help } = exportedMetrics[name];
    const told = labels.map((label) => `\`${label}\``).join(", ");
    return tableRow([`\`${name}\``, type, told, help]);
  });
  return [
    "## Prometheus",
    ...[introduction, config, exactness, restart, labelSets],
    `Histograms have the buckets ${secondsBounds.map((bound) => `\`${bound}\``).join(", ")} and \`+Inf\`, in seconds, which count exactly what is not above their bound.`,
    table(["Name", "Type", "Labels", "What it says"], rows),
    shipped,
  ];
}

const introduction = `\`GET /metrics\` on the control listener is what Prometheus scrapes, in its text format: with an API key of scope \`read\` and of no project alone, as \`Authorization: Bearer <key>\`. It is made in the control plane of what the gateway ships anyway, and neither asks the gateway nor reads the store: a scrape
is answered while the gateway stands still, and a call never waits for one. 10,000 series are about 1 MB and took 12 ms in the middle on two busy cores ([bench](../bench/README.md)).`;

const config = `\`\`\`sh
curl -s -X POST http://127.0.0.1:8081/api/v1/keys -H "authorization: Bearer $(cat data/admin-key)" -H 'content-type: application/json' -d '{"name":"prometheus","scopes":["read"]}'
\`\`\`

gives such a key (\`key\` of the answer). As the API does, \`/metrics\` answers to the \`Host\` names it knows (\`allowedHosts\`). With \`metricsPort\` it is told on a port of its own too, **without a key**: on loopback unless \`metricsHost\` says otherwise, where a network
of trust or a proxy has to stand before it, since it names all projects and functions and says how they are called. That port has nothing but \`/metrics\`, and answers to the same \`Host\` names and to \`metricsHost\`.`;

const exactness = `Counters are counted in memory from every batch of records that was stored, each once, whatever comes twice: of calls they are exact, at most about a second after the call has ended. What is dropped later for its age or number (\`recordsKeptHours\`, \`invocationsKeptMax\`) has counted.
What the gateway samples comes every five seconds; its counts since the last sample are lost where it is killed, as in the metrics above. Gauges of the gateway are told for 15 s after its last sample and while the control plane has it; then they are left out, and \`isola_gateway_up\` is 0.`;

const restart = `**At a start of the control plane all counters begin at 0**, also where the gateway runs on; \`isola_counting_since_seconds\` is when. \`rate\` and \`increase\` know that of every counter; what was counted after the last scrape before is in no later one. What the gateway still had is counted once it is stored, and a batch that
was stored just before the end is not counted again. A start of the gateway alone resets nothing.`;

const labelSets = `The number of series is bounded: \`metricsFunctionsMax\` functions (200) have labels of their own, some 80 series each with all histograms; the first that were created, so that the same ones have them after a start. A function keeps its label until the control plane ends, deleted or not. The others, and those that were deleted before the start,
are \`function="other"\` without a project; a function that is called \`other\` has its project. \`isola_functions_labelled\` and \`isola_functions_labelled_max\` say how many there are. Blank sandboxes and those of builds have no function.`;

const shipped = `[ops/prometheus](../ops/prometheus) has a configuration (\`prometheus.yml\`), alerts (\`isola.rules.yml\`, with their tests for \`promtool test rules\`) and a dashboard for Grafana that shows every metric (\`grafana-dashboard.json\`: Dashboards, New, Import).`;
