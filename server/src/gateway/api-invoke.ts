import { type InvocationRecord, SCHEDULE_PATH } from "../domain/invocation.ts";
import { fixedLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import type { InvokeParams, InvokeResult } from "../link/messages.ts";
import type { CallCount } from "./admission.ts";
import type { CallTraces, StartedTrace } from "./call-traces.ts";
import { CollectReply } from "./collect-reply.ts";
import type { FunctionTable } from "./function-table.ts";
import { isTraceName } from "./header-names.ts";
import type { InvocationContext } from "./invocation-context.ts";
import { Invocation } from "./invocation.ts";
import { eventLines } from "./invocation-request.ts";
import { WholeBody } from "./request-body.ts";

const TARGET_BYTES_MAX = 8192;

/** Invocations made through the API: the same path as those from the functions listener, with the answer, the phases and the log lines gathered. */
export class ApiInvoker {
  readonly #table: FunctionTable;
  readonly #context: InvocationContext;
  readonly #newId: () => string;
  readonly #admit: (count: CallCount) => void;
  readonly #traces: CallTraces | null;
  readonly #waiting = new Map<Invocation, (record: InvocationRecord) => void>();

  constructor(options: {
    table: FunctionTable;
    context: InvocationContext;
    newId: () => string;
    /** Throws `too_many_requests`. */
    admit: (count: CallCount) => void;
    /** null: tracing is off. */
    traces: CallTraces | null;
  }) {
    this.#table = options.table;
    this.#newId = options.newId;
    this.#admit = options.admit;
    this.#traces = options.traces;
    this.#context = {
      ...options.context,
      onDone: (invocation, record, count) => {
        options.context.onDone(invocation, record, count);
        this.#waiting.get(invocation)?.(record);
        this.#waiting.delete(invocation);
      },
    };
  }

  /** Rejects with `not_found`, `driver_unavailable` or `too_many_requests`; a call that fails resolves with its `error`. */
  async invoke(params: InvokeParams): Promise<InvokeResult> {
    const entry = this.#table.get(params.project, params.name);
    if (entry === null)
      throw new IsolaError("not_found", `function ${params.name} is not deployed on this gateway`);
    const pool = this.#table.poolOf(entry);
    const reply = new CollectReply(fixedLimits.responseBodyBufferedBytesMax);
    if (params.target.length > TARGET_BYTES_MAX)
      throw new IsolaError("invalid_request", `the path exceeds ${TARGET_BYTES_MAX} bytes`);
    const isEvent = params.kind === "event";
    const bytes = Buffer.from(params.bodyBase64, "base64");
    const trace = traceOf(this.#traces, params.headers);
    const block = headerBlock(params.headers, trace);
    this.#admit(entry);
    const invocation = new Invocation(
      this.#context,
      pool,
      {
        id: params.id ?? this.#newId(),
        isEvent,
        trace: trace?.place ?? null,
        lines: isEvent ? eventLines : httpLines(params),
        headerBlock: block,
        body: isEvent || bytes.length > 0 ? new WholeBody(bytes) : null,
        count: entry,
        path: isEvent ? eventPath(params) : (params.target.split("?")[0] as string),
      },
      reply,
    );
    invocation.log.lines = [];
    const record = await new Promise<InvocationRecord>((resolve) => {
      this.#waiting.set(invocation, resolve);
      invocation.start();
    });
    const { status, headers, body } = await reply.collected;
    const { queueMs, startMs, initMs, runMs } = record;
    return {
      id: record.id,
      revision: record.revision,
      status,
      headers,
      bodyBase64: body.toString("base64"),
      outcome: record.outcome,
      error:
        record.outcome === "ok"
          ? null
          : {
              code: record.errorCode ?? "internal_error",
              message: record.errorMessage ?? "",
              type: invocation.failure?.type,
              stack: invocation.failure?.stack,
            },
      startKind: record.startKind,
      phases: { queueMs, startMs, initMs, runMs },
      logs: invocation.log.lines ?? [],
    };
  }
}

/** What a record has in place of the path of a request. */
function eventPath({ schedule }: InvokeParams): string {
  return schedule === undefined ? "" : `${SCHEDULE_PATH}${schedule}`;
}

/** A request that came through no connection. */
export function httpLines({ method, target }: Pick<InvokeParams, "method" | "target">) {
  return {
    ...eventLines,
    method,
    target,
    sourceAddress: "127.0.0.1",
    httpVersion: "HTTP/1.1",
    scheme: "http",
    routeKey: "$default",
  };
}

function traceOf(traces: CallTraces | null, headers: [string, string][]): StartedTrace | null {
  if (traces === null) return null;
  const valueOf = (asked: string) => {
    const values = headers.filter(([name]) => name.toLowerCase() === asked);
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
  };
  return traces.begin(valueOf("traceparent"), valueOf("tracestate"));
}

/** Refuses what could not have come through HTTP. What tells of traces is that of `trace`, where there is one. */
function headerBlock(headers: [string, string][], trace: StartedTrace | null): string {
  let block = "";
  const bytesMax = fixedLimits.headerBytesMax;
  for (const [name, value] of headers) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
      throw new IsolaError("invalid_request", `${JSON.stringify(name)} is not a header name`);
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new IsolaError(
        "invalid_request",
        `the value of header ${name} holds characters that HTTP does not allow`,
      );
    if (trace !== null && isTraceName(name.toLowerCase())) continue;
    block += `\n${name.toLowerCase()}\n${value}`;
    if (block.length > bytesMax)
      throw new IsolaError("invalid_request", `the headers exceed ${bytesMax} bytes`);
  }
  return trace === null ? block : block + trace.headerBlock;
}
