/** Bounds and defaults of the settings of a function, in the units of their names. The server's own table is compared with this one by a test. */
export const settingLimits = {
  memoryMiB: { least: 128, most: 10_240, default: 128 },
  tmpMiB: { least: 64, most: 10_240, default: 64 },
  timeoutMs: { least: 1, most: 900_000, default: 30_000 },
  initTimeoutMs: { least: 1, most: 900_000, default: 10_000 },
  queueTimeoutMs: { least: 1, most: 900_000, default: 10_000 },
  concurrency: { least: 1, most: 1000, default: 1 },
  minSandboxes: { least: 0, most: 1000, default: 0 },
  maxSandboxes: { least: 1, most: 1000, default: 100 },
  idleTimeoutMs: { least: 1000, most: 86_400_000, default: 600_000 },
  timeoutGraceMs: { least: 0, most: 2000, default: 0 },
} as const;

/** Counts that may be null: `concurrency` for the target, no share of its own for the reservation. */
export const scalingLimits = {
  concurrencyTarget: { least: 1, most: 1000 },
  reservedConcurrency: { least: 1, most: 1_000_000 },
} as const;

/** Limits of a streamed response; null, which is the default, leaves `timeoutMs` in force alone. */
export const streamLimits = {
  firstByteTimeoutMs: { least: 1, most: 900_000 },
  streamIdleTimeoutMs: { least: 1, most: 900_000 },
  streamTimeoutMs: { least: 1, most: 86_400_000 },
} as const;

/** Defaults of the settings that are no numbers. */
export const otherDefaults = {
  description: "",
  labels: {},
  route: null,
  afterResponse: "freeze",
  onDisconnect: "cancel",
  network: "none",
  schedules: [],
  build: { dependencies: "auto", scripts: false, bundle: false },
  env: {},
  exposeErrors: false,
} as const;

const MiB = 1_048_576;

/** Bounds of what is sent to the API. */
export const requestLimits = {
  envBytesMax: 4096,
  labelsMax: 32,
  routePathCharsMax: 512,
  descriptionCharsMax: 1024,
  handlerCharsMax: 256,
  packageBytesMax: 50 * MiB,
  packageEntriesMax: 20_000,
  /** Body of every call but the uploads of code. */
  bodyBytesMax: MiB,
  /** Body of an upload: a package in base64, and the JSON around it. */
  codeBodyBytesMax: Math.ceil((50 * MiB * 4) / 3) + MiB,
  pageItemsMax: 200,
  pageItemsDefault: 50,
  keyNameCharsMax: 100,
  idempotencyKeyCharsMax: 200,
  schedulesMax: 20,
  cronCharsMax: 200,
  timeZoneCharsMax: 64,
  /** All events of a function's schedules together, as JSON. */
  scheduleEventsBytesMax: 65_536,
} as const;

export const driverNames = ["process", "docker", "gvisor", "microvm"] as const;
export const networks = ["none", "internet"] as const;
export const afterResponses = ["freeze", "kill", "allow"] as const;
export const onDisconnects = ["cancel", "continue"] as const;
export const NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$";
export const httpMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
export const scopes = ["admin", "deploy", "invoke", "read"] as const;
export const logLevels = ["none", "trace", "debug", "info", "warn", "error", "fatal"] as const;
export const severities = ["info", "warn", "error"] as const;
/** Of events; docs/events.md says what each means. */
export const eventKinds = [
  "function_created",
  "function_deployed",
  "function_rolled_back",
  "function_deleted",
  "key_created",
  "key_revoked",
  "scaled_up",
  "scaled_down",
  "sandboxes_evicted",
  "sandbox_timed_out",
  "sandbox_out_of_memory",
  "sandbox_crashed",
  "sandbox_start_failed",
  "driver_available",
  "driver_unavailable",
  "swept",
  "gateway_started",
  "gateway_restarted",
  "control_started",
  "control_restarted",
  "keeper_restarted",
  "records_lost",
  "traces_lost",
  "schedule_failed",
  "schedule_skipped",
  "schedule_missed",
] as const;
export const outcomes = [
  "ok",
  "function_error",
  "timeout",
  "crash",
  "out_of_memory",
  "cancelled",
  "platform_error",
] as const;
/** `none`: the call never reached a sandbox. */
export const startKinds = ["cold", "restored", "prewarmed", "warm", "none"] as const;

export const metricLimits = {
  stepMsMax: 366 * 86_400_000,
  stepsMax: 1000,
  stepsDefault: 200,
  functionsMax: 200,
  functionsDefault: 20,
} as const;
/** As docs/metrics.md has them; the server's own table is compared with this one by a test. */
export const metricNames = [
  ...(["invocations", "errors", "coldStarts", "duration", "queue", "start", "init"] as const),
  ...(["run", "kill", "kills", "cpu", "requestBytes", "responseBytes", "gbSeconds"] as const),
  ...(["running", "queued", "sandboxes", "memoryReserved", "memoryUsed"] as const),
  ...(["memoryBudget", "sandboxCpu", "sandboxGbSeconds", "starts", "startFailures"] as const),
  ...(["ends", "throttled", "lateFrames", "recordsLost", "logLinesLost"] as const),
  ...(["gatewayCpu", "gatewayMemory"] as const),
] as const;
