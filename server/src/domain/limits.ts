/** Bounds and defaults of the settings of a function, in the units of their names. One table for the API schema, the CLI and the docs. */
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

/** Queue, start and run at their highest settings, and some time to answer. */
export const invokeMsMax =
  settingLimits.queueTimeoutMs.most +
  settingLimits.initTimeoutMs.most +
  settingLimits.timeoutMs.most +
  10_000;

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

export const MiB = 1_048_576;

/** Limits that hold for every function. */
export const fixedLimits = {
  envBytesMax: 4096,
  requestBodyBufferedBytesMax: 6 * MiB,
  requestBodyStreamedBytesMax: 100 * MiB,
  responseBodyBufferedBytesMax: 6 * MiB,
  responseBodyStreamedBytesMax: 200 * MiB,
  headerBytesMax: 16_384,
  packageBytesMax: 50 * MiB,
  packageUnpackedBytesMax: 250 * MiB,
  packageEntriesMax: 20_000,
  logLineBytesMax: 262_144,
  logInvocationBytesMax: MiB,
  openFilesMax: 1024,
  processesMax: 64,
  labelsMax: 32,
  routePathCharsMax: 512,
  schedulesMax: 20,
  scheduleEventsBytesMax: 65_536,
} as const;

export const defaultHandlers = { nodejs: "index.handler", python: "app.handler" } as const;
