/** What a caller says in `traceparent`. */
export interface TraceParent {
  traceId: string;
  spanId: string;
  /** The bits that are known: 1 sampled, 2 the trace id is random. */
  flags: number;
}

const FORM = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const LENGTH = 55;
const KNOWN_FLAGS = 3;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/**
 * W3C Trace Context, 3.2: null for what is not valid, and then the trace begins anew. Two headers, joined with a comma, are not valid. Of a version above 00 what is like
 * 00 is read, as the recommendation asks.
 */
export function parseTraceparent(text: string): TraceParent | null {
  if (text.length < LENGTH || !FORM.test(text)) return null;
  if (text.length > LENGTH && text.startsWith("00")) return null;
  const traceId = text.slice(3, 35);
  const spanId = text.slice(36, 52);
  if (text.startsWith("ff") || traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, flags: Number.parseInt(text.slice(53, 55), 16) & KNOWN_FLAGS };
}

/** In the form of version 00. */
export function traceparentOf(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-0${flags}`;
}

const MEMBERS_MAX = 32;
/** What the recommendation wants to be passed on at least, and what a function gets at most. */
const CHARS_MAX = 512;
const LONG_MEMBER_CHARS = 128;
const MEMBER =
  /^([a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * W3C Trace Context, 3.3: what is passed on of a `tracestate`; "" where it is not valid, or empty. Of one that is too long, whole members are left out: first those above
 * 128 characters, then those at the end.
 */
export function passedTracestate(text: string): string {
  const members = text
    .split(",", MEMBERS_MAX * 2)
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => MEMBER.exec(member)?.[1]));
  if (members.length > MEMBERS_MAX || keys.size < members.length || keys.has(undefined)) return "";
  const isTooLong = () => members.join(",").length > CHARS_MAX;
  for (let at = members.length - 1; at >= 0 && isTooLong(); at -= 1)
    if ((members[at] as string).length > LONG_MEMBER_CHARS) members.splice(at, 1);
  while (isTooLong()) members.pop();
  return members.join(",");
}
