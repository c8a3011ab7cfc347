import { PAYLOAD_BYTES_MAX } from "../../protocol/src/frames.mjs";
import { BadResponse } from "./failure.mjs";

const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// Tab and every printable character of ISO-8859-1.
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Appends one header to a head; throws `BadResponse` naming it. @param {string} name @param {string} value */
export function headerLines(name, value) {
  if (!tokenPattern.test(name))
    throw new BadResponse(`header name ${JSON.stringify(name.slice(0, 100))} is not a token`);
  if (!valuePattern.test(value))
    throw new BadResponse(
      `header ${name} holds a control character or one outside of ISO-8859-1: ${JSON.stringify(value.slice(0, 100))}`,
    );
  return `\n${name}\n${value}`;
}

/** @param {unknown} value */
export function statusText(value) {
  const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  if (typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599)
    return String(status);
  throw new BadResponse(`status must be an integer from 200 to 599, not ${shown(value)}`);
}

/** @param {string} text */
export function checkedHead(text) {
  if (text.length <= PAYLOAD_BYTES_MAX) return text;
  throw new BadResponse(`headers of ${text.length} bytes exceed ${PAYLOAD_BYTES_MAX}`);
}

/** A short text for a value in a message. @param {unknown} value */
export function shown(value) {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  if (typeof value !== "object" || value === null) return String(value);
  return `an object of class ${value.constructor?.name ?? "null"}`;
}
