import type { InvocationRecord } from "../domain/invocation.ts";

let calls = 0;

/** Of a call that is sampled. */
export function tracedRecord(change: Partial<InvocationRecord> = {}): InvocationRecord {
  calls += 1;
  const traceId = calls.toString(16).padStart(32, "a");
  const runSpanId = calls.toString(16).padStart(16, "b");
  return {
    ...{ id: `inv-${calls}`, project: "default", functionName: "f", functionId: "fn-1" },
    ...{ revision: 1, driver: "process", runtime: "nodejs26", startKind: "warm" },
    ...{ sandboxId: "sb-1", outcome: "ok", errorCode: null, errorMessage: null, status: 200 },
    ...{ method: "GET", path: "/f", startedAt: 1_700_000_000_000, totalMs: 20, queueMs: 0 },
    ...{ startMs: null, initMs: null, runMs: 20, requestBytes: 0, responseBytes: 9 },
    ...{ memoryMiB: 128, responseMs: 0, cpuMs: null, memoryPeakBytes: null, killMs: null },
    trace: { traceId, runSpanId, parentSpanId: null },
    ...change,
  };
}
