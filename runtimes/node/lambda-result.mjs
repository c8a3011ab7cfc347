import { BadResponse } from "./failure.mjs";
import { checkedHead, headerLines, shown, statusText } from "./response-head.mjs";

const JSON_HEAD = "200\ncontent-type\napplication/json";
const NO_BYTES = Buffer.alloc(0);

/** A whole response. @typedef {{head: string, body: Uint8Array}} Answer */

/**
 * What a handler returned, as a response, by the rules of Lambda function URLs: an object with `statusCode` says everything itself, text
 * is the body as it is, anything else is sent as JSON (nothing at all as `null`). Throws `BadResponse`.
 * @param {any} result @returns {Answer}
 */
export function httpAnswer(result) {
  if (typeof result === "string") return { head: JSON_HEAD, body: Buffer.from(result) };
  if (result instanceof Uint8Array)
    return { head: "200\ncontent-type\napplication/octet-stream", body: result };
  if (typeof result === "object" && result !== null && result.statusCode !== undefined)
    return fullAnswer(result);
  return { head: JSON_HEAD, body: jsonBytes(result) };
}

/** The answer to an event: its result as JSON. @param {unknown} result @returns {Answer} */
export function eventAnswer(result) {
  return { head: JSON_HEAD, body: jsonBytes(result) };
}

/** @param {any} result @returns {Answer} */
function fullAnswer(result) {
  const body = bodyBytes(result);
  const { text, hasContentType } = headLines(result.statusCode, result.headers, result.cookies);
  const needsType = !hasContentType && body.length > 0;
  return { head: checkedHead(needsType ? `${text}\ncontent-type\napplication/json` : text), body };
}

/** The lines of a head; shared with streamed responses. @param {unknown} status @param {any} headers @param {any} cookies */
export function headLines(status, headers, cookies) {
  let text = statusText(status);
  let hasContentType = false;
  if (headers !== undefined && headers !== null) {
    if (typeof headers !== "object")
      throw new BadResponse(`headers must be an object, not ${shown(headers)}`);
    for (const name of Object.keys(headers)) {
      const values = Array.isArray(headers[name]) ? headers[name] : [headers[name]];
      for (const value of values) text += oneHeader(name, value);
      if (name.toLowerCase() === "content-type") hasContentType = true;
    }
  }
  if (cookies === undefined || cookies === null) return { text, hasContentType };
  if (!Array.isArray(cookies))
    throw new BadResponse(`cookies must be an array of strings, not ${shown(cookies)}`);
  for (const cookie of cookies) text += oneHeader("set-cookie", cookie);
  return { text, hasContentType };
}

/** @param {string} name @param {unknown} value */
function oneHeader(name, value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "object" || typeof value === "function" || typeof value === "symbol")
    throw new BadResponse(`header ${name.slice(0, 100)} must be text, not ${shown(value)}`);
  return headerLines(name, `${/** @type {string | number | boolean | bigint} */ (value)}`);
}

/** @param {any} result @returns {Uint8Array} */
function bodyBytes(result) {
  const { body } = result;
  if (typeof body === "string")
    return Buffer.from(body, result.isBase64Encoded ? "base64" : "utf8");
  if (body === undefined || body === null) return NO_BYTES;
  if (body instanceof Uint8Array) return body;
  if (typeof body === "number" || typeof body === "boolean") return Buffer.from(String(body));
  throw new BadResponse(`body must be text (JSON.stringify it) or a Buffer, not ${shown(body)}`);
}

/** @param {unknown} result */
function jsonBytes(result) {
  let text;
  try {
    text = JSON.stringify(result === undefined ? null : result);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new BadResponse(`the result cannot be expressed as JSON: ${why}`);
  }
  if (text === undefined)
    throw new BadResponse(`the result cannot be expressed as JSON: ${shown(result)}`);
  return Buffer.from(text);
}
