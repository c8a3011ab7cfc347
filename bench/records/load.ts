import type { InvocationRecord } from "../../server/src/domain/invocation.ts";

export interface Load {
  name: string;
  calls: number;
  perSecond: number;
  /** The calls go to these in turn. */
  functions: number;
  /** Different paths; 1: always the same. */
  paths: number;
  /** Of a hundred calls. */
  failures: number;
  /** False: the records are made and thrown away, to know what the load itself takes. */
  isKept: boolean;
}

/** What writing an answer's headers does to an id before its record is made: V8 lays the pieces of the text together. */
const headerValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Text made anew, as each call brings its own. */
const target = "/orders/0123456789?page=7";

export function recordAt(load: Load, index: number, id: string): InvocationRecord {
  headerValue.test(id);
  const fn = index % load.functions;
  const isFailure = index % 100 < load.failures;
  const path = target.slice(0, 8) + (load.paths > 1 ? index % load.paths : 1);
  return {
    id,
    project: "default",
    functionName: functionNames[fn] as string,
    functionId: functionIds[fn] as string,
    revision: 3,
    driver: "process",
    runtime: "nodejs26",
    startKind: "warm",
    sandboxId: sandboxIds[fn] as string,
    outcome: isFailure ? "function_error" : "ok",
    errorCode: isFailure ? "function_error" : null,
    errorMessage: isFailure ? "Cannot read properties of undefined (reading 'x')" : null,
    status: isFailure ? 502 : 200,
    method: "GET",
    path,
    startedAt: Date.now(),
    totalMs: 0.6 + (index % 977) / 1000,
    queueMs: (index % 89) / 1000,
    startMs: null,
    initMs: null,
    runMs: 0.4 + (index % 877) / 1000,
    requestBytes: 0,
    responseBytes: 200 + (index % 7),
    killMs: null,
    memoryMiB: 128,
    responseMs: 0,
    cpuMs: null,
    memoryPeakBytes: null,
    trace: null,
  };
}

const most = 1000;
const functionNames = Array.from({ length: most }, (_, at) => `function-${at}`);
const functionIds = Array.from({ length: most }, (_, at) => `fn-mcz1k2abc0123456789abc${at}`);
const sandboxIds = Array.from({ length: most }, (_, at) => `sb-mcz1k2abc0123456789abc${at}`);
