import { isUtf8 } from "node:buffer";

const FIXED_LINES = 9;
const textTypePattern =
  /^(?:text\/|application\/(?:json|xml|javascript|ecmascript|x-javascript|x-www-form-urlencoded)(?:\s*;|\s*$)|[^;]*\+(?:json|xml)\s*(?:;|$))/i;
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/**
 * The event of an HTTP request: payload format 2.0 of Lambda function URLs
 * (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html).
 * @param {string[]} lines of the invocation's head @param {Buffer | null} body @param {{project: string, function: string}} init
 */
export function httpEvent(lines, body, init) {
  const target = lines[2] ?? "";
  const mark = target.indexOf("?");
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const rawQueryString = mark === -1 ? "" : target.slice(mark + 1);
  const { headers, cookies } = readHeaders(lines);
  /** @type {Record<string, any>} */
  const event = { version: "2.0", routeKey: lines[7], rawPath, rawQueryString };
  if (cookies !== null) event.cookies = cookies;
  event.headers = headers;
  if (rawQueryString !== "") event.queryStringParameters = readQuery(rawQueryString);
  event.requestContext = requestContext(lines, rawPath, headers, init);
  if (lines[8] !== "") event.pathParameters = readPathParameters(lines[8] ?? "");
  const isText = body !== null && textTypePattern.test(headers["content-type"] ?? "");
  // Text that is not UTF-8 would be damaged as a string.
  event.isBase64Encoded = body !== null && body.length > 0 && !(isText && isUtf8(body));
  if (body !== null && body.length > 0)
    event.body = event.isBase64Encoded ? body.base64Slice() : body.utf8Slice();
  return event;
}

/** @param {string[]} lines */
function readHeaders(lines) {
  /** @type {Record<string, string>} */
  const headers = {};
  /** @type {string[] | null} */
  let cookies = null;
  for (let at = FIXED_LINES; at < lines.length; at += 2) {
    const name = /** @type {string} */ (lines[at]);
    const value = /** @type {string} */ (lines[at + 1]);
    if (name === "cookie") {
      const pairs = value.split(";").map((pair) => pair.trim());
      cookies = [...(cookies ?? []), ...pairs.filter((pair) => pair !== "")];
      continue;
    }
    const before = headers[name];
    // Members that every object inherits are not text.
    headers[name] = typeof before === "string" ? `${before},${value}` : value;
  }
  return { headers, cookies };
}

/** @param {string} query */
function readQuery(query) {
  /** @type {Record<string, string>} */
  const parameters = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters[name];
    parameters[name] = typeof before === "string" ? `${before},${value}` : value;
  }
  return parameters;
}

/** @param {string} raw */
function readPathParameters(raw) {
  /** @type {Record<string, string>} */
  const parameters = {};
  for (const pair of raw.split("&")) {
    const equals = pair.indexOf("=");
    parameters[decoded(pair.slice(0, equals))] = decoded(pair.slice(equals + 1));
  }
  return parameters;
}

/** @param {string} text */
function decoded(text) {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // A wrong escape stays as it was received.
    return text;
  }
}

/** @param {string[]} lines @param {string} rawPath @param {Record<string, string>} headers @param {{project: string, function: string}} init */
function requestContext(lines, rawPath, headers, init) {
  const timeEpoch = Date.now();
  const domainName = (headers.host ?? "").replace(/:\d+$/, "");
  const dot = domainName.indexOf(".");
  return {
    accountId: init.project,
    apiId: init.function,
    domainName,
    domainPrefix: dot === -1 ? domainName : domainName.slice(0, dot),
    http: {
      method: lines[1],
      path: rawPath,
      protocol: lines[5],
      sourceIp: lines[4],
      userAgent: headers["user-agent"] ?? "",
    },
    requestId: lines[0],
    routeKey: lines[7],
    stage: "$default",
    time: logTime(timeEpoch),
    timeEpoch,
  };
}

let lastSecond = -1;
let lastTime = "";

/** `24/Nov/2026:02:04:05 +0000`, made anew once a second. @param {number} timeEpoch */
function logTime(timeEpoch) {
  const second = Math.floor(timeEpoch / 1000);
  if (second === lastSecond) return lastTime;
  const date = new Date(timeEpoch);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  lastSecond = second;
  lastTime = `${day}:${time} +0000`;
  return lastTime;
}
