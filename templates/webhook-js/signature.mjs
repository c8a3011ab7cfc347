import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Whether `header` is `sha256=` and the HMAC of these very bytes, as GitHub and many others sign.
 * Takes as long for a wrong one as for a right one.
 */
export function isSigned(body, header, secret) {
  const given = /^sha256=([0-9a-f]{64})$/.exec(header ?? "")?.[1];
  if (given === undefined) return false;
  const expected = createHmac("sha256", secret).update(body).digest();
  return timingSafeEqual(Buffer.from(given, "hex"), expected);
}
