import { type DeployedFunction, reservedMiBOf } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";

/** Why a caller gets no sandbox. */

export function shuttingDown(): IsolaError {
  return new IsolaError("shutting_down", "the server is stopping and starts nothing any more");
}

export function queueFull(fn: DeployedFunction, waiting: number): IsolaError {
  const text = `${waiting} calls wait for a sandbox of ${fn.name} already`;
  return new IsolaError("too_many_requests", text);
}

export function queueTimeout(fn: DeployedFunction, sandboxes: number): IsolaError {
  const { queueTimeoutMs, maxSandboxes } = fn.settings;
  const text = `no sandbox of ${fn.name} became free within ${queueTimeoutMs} ms (maxSandboxes ${maxSandboxes}, ${sandboxes} exist)`;
  return new IsolaError("queue_timeout", text);
}

export function tooLarge(fn: DeployedFunction, memoryMiBMax: number): IsolaError {
  const text = `${fn.name} needs ${reservedMiBOf(fn.settings)} MiB, the server's memory budget is ${memoryMiBMax} MiB`;
  return new IsolaError("sandbox_start_failed", text);
}
