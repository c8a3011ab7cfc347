import { createHmac, timingSafeEqual } from "node:crypto";

/** Whether `header` is `sha256=` and the HMAC-SHA-256 of these very bytes, in hexadecimal: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export function isSignedBy(secret, body, header) {
  const match = /^sha256=([0-9a-f]{64})$/.exec(header ?? "");
  if (match === null) return false;
  const expected = createHmac("sha256", secret).update(body).digest();
  // An ordinary comparison ends at the first difference, and its time tells how much was right.
  return timingSafeEqual(expected, Buffer.from(match[1], "hex"));
}
