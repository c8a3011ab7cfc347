/** Whose fault it is: decides the status, whether a retry makes sense, and what is shown. */
export type Blame = "caller" | "function" | "platform";

/** Every expected failure of Isola. `docs/errors.md` is generated from this table. */
export const errorCatalogue = {
  // API and command line
  invalid_request: {
    status: 400,
    blame: "caller",
    cause: "A field is missing, unknown or out of range.",
    cure: "Read `details`: each names the path, what was expected and what was given. The description of the call is at `/docs` of the API.",
  },
  invalid_package: {
    status: 400,
    blame: "caller",
    cause:
      "The uploaded code is not an archive that Isola takes: another format, a link or device, a path that leaves it, names that collide; or its requirements ask for what builds do not do.",
    cure: "Do what the message says: it names the file or line. Upload a zip or tar(.gz) of regular files and folders; what docs/builds.md refuses has to be in the package already.",
  },
  package_too_large: {
    status: 413,
    blame: "caller",
    cause:
      "The package exceeds a limit: 50 MiB packed, 250 MiB unpacked, 20,000 entries, with its dependencies.",
    cure: "Leave out what the function does not need (`.isolaignore`), or bundle (`build: { bundle: true }`). The limits are fixed.",
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
    cure: "Read the output in `details`, the last lines first: mostly a package that does not exist, a registry that is not among `buildRegistries`, or code that would have to be compiled. docs/builds.md says what builds can do.",
  },
  unauthenticated: {
    status: 401,
    blame: "caller",
    cause: "No API key, or one that is unknown, expired or revoked.",
    cure: "Send `Authorization: Bearer isola_...`; for the command line set `ISOLA_API_KEY`, or `ISOLA_DATA` to the server's data folder, whose file `admin-key` holds one.",
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
    cause:
      "The key's scopes, or the project that it is of, do not allow this call; or it came for a `Host` or from a page that is not the server's.",
    cure: "Use a key as the message describes it. Behind a proxy or another name, add the name to `allowedHosts`.",
  },
  not_found: {
    status: 404,
    blame: "caller",
    cause: "No such thing, or not in this project, or not for this key.",
    cure: "Check spelling and project (`--project`): `isola list` shows the functions, `isola projects` the projects. What was trimmed for its age is gone.",
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
    cause: "`If-Match` names a state that has passed: somebody else has changed it meanwhile.",
    cure: "Read it again, look at what changed, and repeat the change.",
  },
  too_large: {
    status: 413,
    blame: "caller",
    cause:
      "The body of a call to the API exceeds its limit: 1 MiB, for uploads of code that of a package.",
    cure: "Send less; code goes as an archive to `PUT /api/v1/functions/{name}/code`.",
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
    cure: "`isola doctor` names what is missing and the command that installs it; or choose another driver (`--driver`).",
  },
  // Functions listener
  route_not_found: {
    status: 404,
    blame: "caller",
    cause: "No function answers this method and path.",
    cure: "Compare with the function's addresses (`isola get <name>`): by default `/<name>`, in another project than `default` below `/~<project>`. A function that was deployed a moment ago answers once its deploy has.",
  },
  method_not_allowed: {
    status: 405,
    blame: "caller",
    cause: "The path exists, with other methods.",
    cure: "Use one of the methods in `Allow`, or add this one to the function's `route`.",
  },
  bad_path: {
    status: 400,
    blame: "caller",
    cause: "The path holds `%2f`, `%5c`, `%00`, a segment `.` or `..`, a `#`, or a wrong escape.",
    cure: "Send a plain path; what holds such characters belongs in the query or the body.",
  },
  bad_http: {
    status: 400,
    blame: "caller",
    cause:
      "The request is not one that HTTP allows here: two lengths, no or several `Host`, an upgrade, a malformed header or line.",
    cure: "The message says which. Mostly a proxy or a client that was written by hand; WebSocket is not supported.",
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
    cure: "Send faster; a body that is begun must go on. The limits are `headersTimeoutMs` and `callerStallTimeoutMs`.",
  },
  request_too_large: {
    status: 413,
    blame: "caller",
    cause:
      "The request body exceeds the function's limit: 6 MiB for Lambda-style handlers, 100 MiB where it streams.",
    cure: "Send less, or use a handler that streams (`fetch`, ASGI, WSGI).",
  },
  not_an_event_function: {
    status: 400,
    blame: "caller",
    cause: "The function answers HTTP requests, not events.",
    cure: "Invoke it with `request` instead of `event`: `isola invoke <name> --method POST --path / --data ...`.",
  },
  queue_timeout: {
    status: 503,
    blame: "platform",
    cause:
      "No sandbox became free within `queueTimeoutMs`: all were busy, or there was no memory for another.",
    cure: "Raise `maxSandboxes` or `concurrency`, make the function faster, or give the machine more memory (`memoryBudgetMiB`). `isola metrics <name>` shows how many waited.",
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
    cure: "Do less on import, bundle, or raise `initTimeoutMs`. `server-timing` of the answer tells start and init apart.",
  },
  init_failed: {
    status: 502,
    blame: "function",
    cause:
      "The code could not be loaded: an error at import, a missing package, no such file or export.",
    cure: "Read the message and the function's logs: they name what was looked for and what was found. Then mend `handler`, or name the package as a dependency.",
  },
  function_timeout: {
    status: 504,
    blame: "function",
    cause: "The function ran longer than `timeoutMs` and was killed.",
    cure: "Make it faster, or raise `timeoutMs`. The function's logs show how far it came.",
  },
  function_error: {
    status: 500,
    blame: "function",
    cause: "The handler threw, or its promise was rejected.",
    cure: "Read the function's logs (`isola logs <name>`, or `isola invocations show <id>` with the request id): they have message and stack. `exposeErrors` shows them to callers.",
  },
  sandbox_exited: {
    status: 502,
    blame: "function",
    cause:
      "The function's process ended in the middle of the call: it called exit, crashed, or was killed from outside.",
    cure: "Look for exit calls, crashes of native packages and the last lines in the logs (`isola logs <name>`).",
  },
  out_of_memory: {
    status: 502,
    blame: "function",
    cause: "The sandbox reached its memory limit and was killed.",
    cure: "Raise `memoryMiB`, or hold less at once: stream, and remember that `/tmp` counts. `isola invocations show <id>` has the peak, where it is known.",
  },
  bad_response: {
    status: 502,
    blame: "function",
    cause: "The function's response is malformed or too large.",
    cure: "Return what docs/functions.md describes: status 200 to 599, headers of text, at most 6 MiB unless it streams. The message says what was wrong.",
  },
  stream_timeout: {
    status: 504,
    blame: "function",
    cause: "A streamed response was cut by a limit after its headers had gone out.",
    cure: "Raise `timeoutMs` or `streamTimeoutMs`, or send more often than `streamIdleTimeoutMs`.",
  },
  sandbox_start_failed: {
    status: 503,
    blame: "platform",
    cause: "The driver could not start a sandbox.",
    cure: "`isola doctor` says whether the driver works; `isola events` and the server's log have the reason of this start.",
  },
  shutting_down: {
    status: 503,
    blame: "platform",
    cause: "The server is stopping.",
    cure: "Retry in a moment, when the server is up again.",
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
    cause: "A part of the server is not up yet: it has just started, or is being started again.",
    cure: "Retry in a moment. If it stays, the server's log says which part does not come up.",
  },
  internal_error: {
    status: 500,
    blame: "platform",
    cause: "A defect in Isola.",
    cure: "Report it with the request id and the server's log, which has the stack.",
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
    cure: "Stop it (its process id is in the message), or set another `ISOLA_DATA`.",
  },
  port_taken: {
    status: 500,
    blame: "caller",
    cause: "Something else listens on the port; often an Isola that is running already.",
    cure: "Stop it, or set another port: `ISOLA_GATEWAY_PORT`, `ISOLA_CONTROL_PORT`; 0 takes any free one.",
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
