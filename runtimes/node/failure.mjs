import { PAYLOAD_BYTES_MAX } from "../../protocol/src/frames.mjs";
import { withSourcePositions } from "./source-positions.mjs";

const MESSAGE_CHARS_MAX = 8_000;
const STACK_CHARS_MAX = 32_000;
/** Errors shown below the one that was thrown, each the `cause` of the one before. */
const CAUSES_MAX = 8;

/** What a function gave back cannot be sent on; the message says what was expected and what was given. */
export class BadResponse extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "BadResponse";
  }
}

/**
 * The payload of `ERROR` for anything thrown: fits into a frame, and never throws itself, whatever the thrown value does when looked at.
 * @param {string} code @param {unknown} thrown @param {string} [prefix] put before the message
 */
export function failurePayload(code, thrown, prefix = "") {
  const { type, message, stack } = describe(thrown);
  let messageChars = MESSAGE_CHARS_MAX;
  let stackChars = STACK_CHARS_MAX;
  for (;;) {
    const payload = Buffer.from(
      JSON.stringify({
        code,
        type: type.slice(0, 200),
        message: (prefix + message).slice(0, messageChars),
        stack: stack.slice(0, stackChars),
      }),
    );
    if (payload.length <= PAYLOAD_BYTES_MAX) return payload;
    messageChars >>= 1;
    stackChars >>= 1;
  }
}

/** @param {unknown} thrown */
export function describe(thrown) {
  try {
    if (typeof thrown !== "object" || thrown === null)
      return { type: typeof thrown, message: String(thrown), stack: "" };
    const error = /** @type {Error} */ (thrown);
    if (typeof error.message !== "string")
      return { type: className(thrown), message: JSON.stringify(thrown) ?? "", stack: "" };
    const stack = error instanceof BadResponse ? "" : withSourcePositions(stackWithCauses(error));
    return { type: String(error.name ?? className(thrown)), message: error.message, stack };
  } catch {
    // A getter or toJSON of the thrown value threw in turn: what can be said is that something was thrown.
    return { type: "object", message: "a value that cannot be shown was thrown", stack: "" };
  }
}

/**
 * The stack, then that of each `cause`. A chain that comes back to itself, is longer than `CAUSES_MAX` or cannot be read ends there; the text is cut by whoever
 * sends it.
 * @param {Error} error
 */
function stackWithCauses(error) {
  const parts = [String(error.stack ?? "")];
  const seen = new Set([error]);
  try {
    for (let { cause } = error; cause !== undefined && cause !== null; ) {
      const isKnown = seen.has(/** @type {Error} */ (cause));
      if (isKnown || seen.size > CAUSES_MAX) {
        parts.push(isKnown ? "Caused by an error shown above" : "Caused by more errors");
        break;
      }
      seen.add(/** @type {Error} */ (cause));
      const { stack, message, cause: next } = /** @type {Error} */ (cause);
      parts.push(`Caused by: ${String(stack ?? message ?? cause)}`);
      cause = next;
    }
  } catch {
    // A getter of a cause threw: what has been read so far is told.
  }
  return parts.join("\n");
}

/** @param {object} value */
function className(value) {
  return String(value.constructor?.name ?? "object");
}
