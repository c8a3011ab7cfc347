import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import type { EngineAddress } from "../../images/engine.ts";

/** An engine that has gone without a word is noticed after this and ten seconds more. */
const KEEP_ALIVE_MS = 15_000;
const REFUSAL_BYTES_MAX = 10_000;

/**
 * Makes a request of which nothing is left but its connection, as `POST /containers/x/attach` does. The client of everything else sends a body with it, part of
 * which may arrive as the container's input. Rejects with an error that has the `statusCode` where the engine refuses, and at the abort; an abort afterwards does nothing.
 */
export function hijack(address: EngineAddress, path: string, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const headers = { connection: "Upgrade", upgrade: "tcp" };
  const { request } = address.protocol === "https" ? https : http;
  const { protocol: _, ...where } = address;
  const asked = request({ ...where, method: "POST", path, headers, agent: false });
  const onAbort = () => asked.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  asked.once("close", () => signal.removeEventListener("abort", onAbort));
  asked.on("error", reject);
  asked.on("response", (answer) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= REFUSAL_BYTES_MAX) chunks.push(chunk);
      else asked.destroy();
    });
    answer.on("close", () => reject(refusalOf(answer.statusCode ?? 0, chunks)));
  });
  asked.on("upgrade", (_answer, socket: Socket, head) => {
    signal.removeEventListener("abort", onAbort);
    if (head.length > 0) socket.unshift(head);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    resolve(socket);
  });
  asked.end();
  if (signal.aborted) onAbort();
  return promise;
}

function refusalOf(statusCode: number, chunks: Buffer[]): Error {
  const text = Buffer.concat(chunks).toString().trim();
  const how = statusCode === 200 ? "it does not hand its connection over" : text;
  return Object.assign(new Error(`(HTTP code ${statusCode}) ${how}`), { statusCode });
}
