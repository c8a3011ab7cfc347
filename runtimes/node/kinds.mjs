/**
 * Makes the kind that takes the invocations of what was loaded. Kinds are loaded when they are needed: most sandboxes use one.
 * @param {import("./load.mjs").Loaded} loaded @param {import("./environment.mjs").Init} init @param {import("./logs.mjs").Logs} logs
 * @returns {Promise<import("./invocations.mjs").Kind>}
 */
export async function kindOf(loaded, init, logs) {
  if (loaded.kind === "fetch") {
    const { FetchKind } = await import("./fetch.mjs");
    return new FetchKind(loaded.target, init, logs);
  }
  if (loaded.kind === "lambda-stream") {
    const { LambdaStreamKind } = await import("./lambda-stream.mjs");
    return new LambdaStreamKind(loaded.handler, init, logs);
  }
  const { LambdaKind } = await import("./lambda.mjs");
  return new LambdaKind(loaded.handler, init, logs);
}
