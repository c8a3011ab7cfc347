import { createHash } from "node:crypto";

/**
 * What was delivered within the last `windowMs`, at most `countMax` deliveries; where there are more, the oldest are forgotten first. A delivery is its body: the id in
 * x-github-delivery is not signed, so one who sends a recorded body again can change it.
 */
export function recentDeliveries({ windowMs, countMax }) {
  /** When each was first seen, in that order. */
  const seenAt = new Map();
  return {
    /** Whether the body is new, and remembers it. */
    add(body, nowMs) {
      for (const [digest, at] of seenAt) {
        if (nowMs - at < windowMs && seenAt.size < countMax) break;
        seenAt.delete(digest);
      }
      const digest = createHash("sha256").update(body).digest("base64");
      if (seenAt.has(digest)) return false;
      seenAt.set(digest, nowMs);
      return true;
    },
  };
}
