const kinds = ["uncaughtException", "unhandledRejection"] as const;

/** Runs `work`; errors that nobody handled meanwhile go to `onError`, and not to the test runner, which could not say which run they belong to. */
export async function strayErrors(
  onError: (error: unknown) => void,
  work: () => Promise<void>,
): Promise<void> {
  const others = kinds.map((kind) => process.rawListeners(kind));
  for (const kind of kinds) {
    process.removeAllListeners(kind);
    process.on(kind, onError);
  }
  try {
    await work();
  } finally {
    for (const [at, kind] of kinds.entries()) {
      process.off(kind, onError);
      for (const listener of others[at] ?? [])
        process.on(kind, listener as (...args: unknown[]) => void);
    }
  }
}
