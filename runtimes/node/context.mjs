const FIXED_LINES = 9;

/** What is the same in every context of a sandbox. @param {import("./environment.mjs").Init} init */
export function contextBase(init) {
  return {
    functionName: init.function,
    functionVersion: String(init.revision),
    invokedFunctionArn: `arn:isola:lambda:local:${init.project}:function:${init.function}`,
    // Text, as in Lambda.
    memoryLimitInMB: String(init.memoryMiB),
    logGroupName: `/isola/${init.function}`,
    logStreamName: init.sandbox,
  };
}

/** The last argument of handlers: the context object of AWS Lambda, and `signal`, which aborts on cancellation and at the deadline. */
export class Context {
  #invocation;
  callbackWaitsForEmptyEventLoop = true;

  /** @param {ReturnType<typeof contextBase>} base @param {import("./invocation.mjs").Invocation} invocation */
  constructor(base, invocation) {
    this.#invocation = invocation;
    this.functionName = base.functionName;
    this.functionVersion = base.functionVersion;
    this.invokedFunctionArn = base.invokedFunctionArn;
    this.memoryLimitInMB = base.memoryLimitInMB;
    this.awsRequestId = invocation.lines[0];
    this.logGroupName = base.logGroupName;
    this.logStreamName = base.logStreamName;
    // An own member, so that `{ ...context }` keeps it.
    this.getRemainingTimeInMillis = () => Math.floor(invocation.remainingMs());
  }

  get signal() {
    return this.#invocation.signal;
  }

  /** Its place in a trace, as in the header of this name, which events have not; for as long as the invocation runs. @returns {string | undefined} */
  get traceparent() {
    return headerOf(this.#invocation.lines, "traceparent");
  }

  /** @returns {string | undefined} */
  get tracestate() {
    return headerOf(this.#invocation.lines, "tracestate");
  }
}

/** The first value of a header. @param {string[]} lines as in the protocol @param {string} name */
function headerOf(lines, name) {
  for (let at = FIXED_LINES; at < lines.length; at += 2)
    if (lines[at] === name) return lines[at + 1];
  return undefined;
}
