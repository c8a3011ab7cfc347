import type { Readable } from "node:stream";
import { MiB } from "../../domain/limits.ts";
import type { RuntimeSpec, SandboxHandle, SandboxLimits } from "../driver.ts";
import { sharedLibraries } from "../../images/shared-libraries.ts";

const TRIAL_MS_MAX = 5000;
const TEXT_BYTES_MAX = 2000;

/**
 * Runs the server's own Node once in a sandbox, with every limit. null: it works; a text: why not.
 */
export async function tryOut(
  start: (
    runtime: RuntimeSpec,
    limits: SandboxLimits,
  ) => Promise<{ sandbox: SandboxHandle; stderr: Readable }>,
): Promise<string | null> {
  const runtime: RuntimeSpec = {
    name: "trial",
    family: "nodejs",
    version: process.versions.node,
    executable: process.execPath,
    args: ["--version"],
    runtimeDir: import.meta.dirname,
    needs: await sharedLibraries([process.execPath]),
  };
  const { sandbox, stderr } = await start(runtime, { memoryBytes: 256 * MiB, pidsMax: 64 });
  const timer = setTimeout(() => void sandbox.destroy("timeout"), TRIAL_MS_MAX);
  try {
    let text = "";
    stderr.on("data", (chunk: Buffer) => {
      if (text.length < TEXT_BYTES_MAX) text += chunk.toString("latin1");
    });
    const exit = await sandbox.exited;
    if (exit.cause === "exited" && exit.exitCode === 0) return null;
    const status = exit.signal ?? `status ${exit.exitCode}`;
    return `a sandbox that was tried ended with ${status}: ${text.trim().slice(0, TEXT_BYTES_MAX)}`;
  } finally {
    clearTimeout(timer);
    await sandbox.destroy("shutdown");
  }
}
