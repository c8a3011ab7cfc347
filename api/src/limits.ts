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
} as const;

export const driverNames = ["process", "docker", "gvisor", "microvm"] as const;
export const networks = ["none", "internet"] as const;
export const afterResponses = ["freeze", "kill", "allow"] as const;
export const onDisconnects = ["cancel", "continue"] as const;
export const NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$";
export const httpMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
export const scopes = ["admin", "deploy", "invoke", "read"] as const;
export const outcomes = [
  "ok",
  "function_error",
  "timeout",
  "crash",
  "out_of_memory",
  "cancelled",
  "platform_error",
] as const;
