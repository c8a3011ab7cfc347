import type { HostStream } from "@isola/protocol/host-stream";
import { fixedLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { RequestBody } from "./request-body.ts";

/** How much the function of this sandbox takes: kinds that hold bodies whole take less. */
export function requestBytesMax(sandbox: PooledSandbox): number {
  const { requestBodyBufferedBytesMax, requestBodyStreamedBytesMax } = fixedLimits;
  return sandbox.ready?.buffered === true
    ? requestBodyBufferedBytesMax
    : requestBodyStreamedBytesMax;
}

export function responseBytesMax(sandbox: PooledSandbox): number {
  const { responseBodyBufferedBytesMax, responseBodyStreamedBytesMax } = fixedLimits;
  return sandbox.ready?.buffered === true
    ? responseBodyBufferedBytesMax
    : responseBodyStreamedBytesMax;
}

/** Why a body of a declared length is not sent at all. */
export function bodyRefusal(
  name: string,
  body: RequestBody | null,
  sandbox: PooledSandbox,
): IsolaError | null {
  const length = body?.declaredBytes ?? 0;
  const most = requestBytesMax(sandbox);
  if (length <= most) return null;
  return new IsolaError(
    "request_too_large",
    `the request has ${length} bytes, ${name} takes ${most}`,
  );
}

/** Sends one request body to a sandbox, no faster than that takes it. `onBytes` counts, and says false where that was too much: then the bytes are not sent. */
export function feedRequest(
  body: RequestBody,
  sandbox: PooledSandbox,
  stream: HostStream,
  onBytes: (bytes: number) => boolean,
): void {
  const { channel } = sandbox;
  body.start(
    (bytes) => {
      if (onBytes(bytes.length) && !channel.write(stream, bytes)) body.pause();
    },
    () => channel.finish(stream),
  );
}
