import type { ExpositionText } from "./exposition-text.ts";
import type { FunctionTotals } from "./function-totals.ts";
import type { SampledGauges } from "./gauges-of-sample.ts";
import type { RunningTotals } from "./running-totals.ts";

const MICROS_PER_SECOND = 1e6;
const MS_PER_SECOND = 1000;

/** What was counted of functions, and what they have at the moment; `gauges` null: that is not known. */
export function tellFunctions(
  text: ExpositionText,
  { functions }: RunningTotals,
  gauges: SampledGauges | null,
): void {
  for (const totals of functions) {
    if (totals.invocations.size > 0) tellCalls(text, totals);
    tellSandboxUse(text, totals);
    if (gauges === null || totals.labels.function === "") continue;
    // What the gateway did not find there is not there.
    const now = gauges.functions.get(totals) ?? { running: 0, queued: 0 };
    text.add("isola_invocations_running", totals.labels, now.running);
    text.add("isola_invocations_queued", totals.labels, now.queued);
  }
}

function tellCalls(text: ExpositionText, totals: FunctionTotals): void {
  const { labels } = totals;
  for (const [key, calls] of totals.invocations) {
    const [outcome = "", startKind = ""] = key.split(" ");
    const own = { ...labels, outcome, start_kind: startKind };
    text.add("isola_invocations_total", own, calls);
  }
  text.add("isola_invocation_errors_total", labels, totals.errors);
  text.addHistogram("isola_invocation_duration_seconds", labels, totals.duration);
  text.addHistogram("isola_invocation_queue_seconds", labels, totals.queue);
  for (const [startKind, start] of totals.start) {
    const own = { ...labels, start_kind: startKind };
    text.addHistogram("isola_invocation_start_seconds", own, start);
  }
  if (totals.init !== null) text.addHistogram("isola_invocation_init_seconds", labels, totals.init);
  if (totals.kill !== null) text.addHistogram("isola_invocation_kill_seconds", labels, totals.kill);
  text.add("isola_invocation_cpu_seconds_total", labels, totals.cpuMicros / MICROS_PER_SECOND);
  text.add("isola_invocation_gigabyte_seconds_total", labels, totals.gbSeconds);
  text.add("isola_invocation_request_bytes_total", labels, totals.requestBytes);
  text.add("isola_invocation_response_bytes_total", labels, totals.responseBytes);
}

function tellSandboxUse(text: ExpositionText, totals: FunctionTotals): void {
  const { labels, sandboxCpuMs, sandboxGbSeconds, throttled } = totals;
  text.add("isola_sandbox_cpu_seconds_total", labels, sandboxCpuMs / MS_PER_SECOND);
  text.add("isola_sandbox_gigabyte_seconds_total", labels, sandboxGbSeconds);
  if (labels.function !== "") text.add("isola_invocations_throttled_total", labels, throttled);
}
