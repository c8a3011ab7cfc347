/** Whose fault it is: decides the status, whether a retry makes sense, and what is shown. */
export type Blame = "caller" | "function" | "platform";

/** Every expected failure of Isola. `docs/errors.md` is generated from this table. */
export const errorCatalogue = {
  // API and command line
  invalid_request: {
    status: 400,
    blame: "caller",
    cause: "A field is missing, unknown or out of range.",
    cure: "Read `details`: each names the path, what was expected and what was given.",
  },
  invalid_package: {
    status: 400,
    blame: "caller",
    cause: "The uploaded code is not an archive that Isola takes.",
    cure: "Upload a zip or tar(.gz) of regular files and folders within the limits.",
  },
  package_too_large: {
    status: 413,
    blame: "caller",
    cause: "The package exceeds a size or entry limit.",
    cure: "Leave out what the function does not need, or let the operator raise the limit.",
  },
  invalid_backup: {
    status: 400,
    blame: "caller",
    cause: "The archive is no backup of Isola, is damaged, or is of a newer version.",
    cure: "Use another backup, or the Isola that wrote it; docs/operations.md has the procedure.",
  },
  build_failed: {
    status: 422,
    blame: "caller",
    cause: "What the package needs could not be installed or bundled; no revision was made.",
    cure: "Read the output in `details`; docs/builds.md says what builds can do.",
  },
  unauthenticated: {
    status: 401,
    blame: "caller",
    cause: "No API key, or one that is unknown, expired or revoked.",
    cure: "Send `Authorization: Bearer isola_...`.",
  },
  debugger_off: {
    status: 409,
    blame: "caller",
    cause: "The server's settings let nobody debug functions.",
    cure: "Debug on a server for development, started with `--debugger`.",
  },
  forbidden: {
    status: 403,
    blame: "caller",
    cause: "The key's scopes, or the project that it is of, do not allow this call.",
    cure: "Use a key as the message describes it.",
  },
  not_found: {
    status: 404,
    blame: "caller",
    cause: "No such thing, or not in this project.",
    cure: "List what exists; check the spelling.",
  },
  conflict: {
    status: 409,
    blame: "caller",
    cause: "The name is taken, something is still in use, or another change is under way.",
    cure: "Do as the message says: choose another name, remove what is left, or retry.",
  },
  route_conflict: {
    status: 409,
    blame: "caller",
    cause: "Another function already answers this route.",
    cure: "Change one of the two routes named in the message.",
  },
  precondition_failed: {
    status: 412,
    blame: "caller",
    cause: "`If-Match` names a state that has passed.",
    cure: "Read it again and repeat the change.",
  },
  too_large: {
    status: 413,
    blame: "caller",
    cause: "The request body exceeds the limit.",
    cure: "Send less.",
  },
  unsupported_media_type: {
    status: 415,
    blame: "caller",
    cause: "The content type is not one this call takes.",
    cure: "Use one of those named in the message.",
  },
  driver_unavailable: {
    status: 409,
    blame: "caller",
    cause: "The chosen driver cannot run on this machine or with these settings.",
    cure: "`isola doctor` names what is missing and the command that installs it.",
  },
  // Functions listener
  route_not_found: {
    status: 404,
    blame: "caller",
    cause: "No function answers this method and path.",
    cure: "Compare with the function's `url` and route.",
  },
  method_not_allowed: {
    status: 405,
    blame: "caller",
    cause: "The path exists, with other methods.",
    cure: "Use one of the methods in `Allow`.",
  },
  bad_path: {
    status: 400,
    blame: "caller",
    cause: "The path holds `%2f`, `%5c`, `%00`, a segment `.` or `..`, a `#`, or a wrong escape.",
    cure: "Send a plain path.",
  },
  bad_http: {
    status: 400,
    blame: "caller",
    cause: "The request is not one that HTTP allows here.",
    cure: "See the message.",
  },
  headers_too_large: {
    status: 431,
    blame: "caller",
    cause: "The request's headers or its target exceed their limit.",
    cure: "Send less in headers; large data belongs in the body.",
  },
  request_timeout: {
    status: 408,
    blame: "caller",
    cause: "The request did not arrive in time: its headers, or the next piece of its body.",
    cure: "Send faster; a body that is begun must go on.",
  },
  request_too_large: {
    status: 413,
    blame: "caller",
    cause: "The request body exceeds the function's limit.",
    cure: "Send less, or use a streaming handler.",
  },
  not_an_event_function: {
    status: 400,
    blame: "caller",
    cause: "The function answers HTTP requests, not events.",
    cure: "Invoke it with `request` instead of `event`.",
  },
  queue_timeout: {
    status: 503,
    blame: "platform",
    cause: "No sandbox became free in time.",
    cure: "Raise `maxSandboxes` or `concurrency`, or give the machine more memory.",
  },
  too_many_requests: {
    status: 429,
    blame: "platform",
    cause:
      "As many calls wait, or are under way, as may: in the function's queue, within its `reservedConcurrency`, or in the server; or as many live tails are open as may.",
    cure: "Retry later; raise the limit that the message names.",
  },
  init_timeout: {
    status: 504,
    blame: "function",
    cause: "Starting the sandbox and loading the code took longer than `initTimeoutMs`.",
    cure: "Do less on import, or raise `initTimeoutMs`.",
  },
  init_failed: {
    status: 502,
    blame: "function",
    cause: "The code could not be loaded: import error, missing handler.",
    cure: "Read the message and the function's logs.",
  },
  function_timeout: {
    status: 504,
    blame: "function",
    cause: "The function ran longer than `timeoutMs` and was killed.",
    cure: "Make it faster, or raise `timeoutMs`.",
  },
  function_error: {
    status: 500,
    blame: "function",
    cause: "The handler threw.",
    cure: "Read the function's logs.",
  },
  sandbox_exited: {
    status: 502,
    blame: "function",
    cause: "The function's process ended in the middle of the call.",
    cure: "Look for exit calls and crashes in the logs.",
  },
  out_of_memory: {
    status: 502,
    blame: "function",
    cause: "The sandbox reached its memory limit and was killed.",
    cure: "Use less, or raise `memoryMiB`.",
  },
  bad_response: {
    status: 502,
    blame: "function",
    cause: "The function's response is malformed or too large.",
    cure: "Return what docs/functions.md describes.",
  },
  stream_timeout: {
    status: 504,
    blame: "function",
    cause: "A streamed response was cut by a limit after its headers had gone out.",
    cure: "Raise the limit, or stream faster.",
  },
  sandbox_start_failed: {
    status: 503,
    blame: "platform",
    cause: "The driver could not start a sandbox.",
    cure: "`isola doctor`; the server's log has the reason.",
  },
  shutting_down: {
    status: 503,
    blame: "platform",
    cause: "The server is stopping.",
    cure: "Retry against another node, or after the restart.",
  },
  cancelled: {
    status: 499,
    blame: "caller",
    cause: "The caller closed the connection.",
    cure: "None needed.",
  },
  // Both
  not_ready: {
    status: 503,
    blame: "platform",
    cause: "A part of the server is not up yet.",
    cure: "Retry in a moment.",
  },
  internal_error: {
    status: 500,
    blame: "platform",
    cause: "A defect in Isola.",
    cure: "Report it with the request id; the server's log has the stack.",
  },
  // Start-up; the status is never sent
  invalid_settings: {
    status: 500,
    blame: "caller",
    cause: "A setting is unknown, malformed or out of range.",
    cure: "Fix each setting the message lists; `isola up --help` shows all.",
  },
  data_locked: {
    status: 500,
    blame: "caller",
    cause: "Another Isola uses this data folder.",
    cure: "Stop it, or set another `ISOLA_DATA`.",
  },
  port_taken: {
    status: 500,
    blame: "caller",
    cause: "Something else listens on the port.",
    cure: "Stop it, or set another port.",
  },
} as const satisfies Record<string, { status: number; blame: Blame; cause: string; cure: string }>;

export type ErrorCode = keyof typeof errorCatalogue;

/** One thing wrong with a request: where, what was expected, what was given. */
export interface ErrorDetail {
  path: string;
  expected: string;
  given: string;
}

/** An expected failure. Anything else that is thrown is a defect of ours. */
export class IsolaError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];

  /** `message` says what was expected, what was given, what to do; never a secret. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetail[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "IsolaError";
    this.code = code;
    this.details = options.details ?? [];
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }

  get blame(): Blame {
    return errorCatalogue[this.code].blame;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
