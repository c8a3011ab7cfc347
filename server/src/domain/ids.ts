import { randomBytes } from "node:crypto";

/** Makes ids that are unique for ever and sort by time: `<prefix>-<time><boot random><counter>`, base 36. Cheap enough for every request. */
export function idSource(prefix: string): () => string {
  const boot = BigInt(`0x${randomBytes(8).toString("hex")}`)
    .toString(36)
    .padStart(13, "0");
  let counter = 0;
  let time = "";
  let timeMs = -1;
  return () => {
    const nowMs = Date.now();
    if (nowMs !== timeMs) {
      timeMs = nowMs;
      time = nowMs.toString(36).padStart(9, "0");
    }
    counter += 1;
    return `${prefix}-${time}${boot}${counter.toString(36)}`;
  };
}
