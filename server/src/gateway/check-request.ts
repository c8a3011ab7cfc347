import type { IncomingMessage } from "node:http";
import { IsolaError } from "../errors.ts";

export const TARGET_BYTES_MAX = 8192;

/** Whether nothing that comes behind it can be trusted, where the parser does not say so. */
export function isLast({ headers, httpVersionMinor }: IncomingMessage): boolean {
  // After an offer to upgrade the parser drops what came in the same packet; in HTTP/1.0 it lets `keep-alive` win over `close`.
  if (headers.upgrade !== undefined) return true;
  return httpVersionMinor === 0 && /\bclose\b/i.test(headers.connection ?? "");
}

/** What holds for every request, whoever it is for. */
export function checkRequest(request: IncomingMessage, url: string): void {
  const { headers } = request;
  if (request.httpVersionMajor !== 1 || request.httpVersionMinor > 1)
    throw new IsolaError("bad_http", `HTTP/${request.httpVersion} is not spoken here`);
  if (url.charCodeAt(0) !== 0x2f)
    throw new IsolaError("bad_http", "the request target must begin with /");
  if (url.length > TARGET_BYTES_MAX)
    throw new IsolaError(
      "headers_too_large",
      `the request target exceeds ${TARGET_BYTES_MAX} bytes`,
    );
  if (url.includes("#"))
    throw new IsolaError("bad_path", "the request target holds a fragment (#)");
  if ((headers.host === undefined || headers.host === "") && request.httpVersionMinor === 1)
    throw new IsolaError("bad_http", "the request has no Host header");
  if (headers["transfer-encoding"] !== undefined)
    checkEncoding(headers["transfer-encoding"], request.httpVersionMinor);
  if (headers.upgrade !== undefined && /\bwebsocket\b/i.test(headers.upgrade))
    throw new IsolaError("bad_http", "WebSocket is not supported");
  if (headers.expect !== undefined && request.httpVersionMinor === 1)
    checkExpectation(headers.expect);
}

function checkEncoding(encoding: string, minorVersion: number): void {
  if (encoding.toLowerCase() !== "chunked")
    throw new IsolaError("bad_http", "the only transfer-encoding taken is chunked");
  if (minorVersion === 0) throw new IsolaError("bad_http", "HTTP/1.0 has no transfer-encoding");
}

function checkExpectation(expectation: string): void {
  if (expectation.toLowerCase() !== "100-continue")
    throw new IsolaError("bad_http", "the only expectation that can be met is 100-continue");
}
