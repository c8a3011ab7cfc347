import { recentDeliveries } from "./recent-deliveries.mjs";
import { isSignedBy } from "./signature.mjs";

const bodyBytesMax = 1024 * 1024;
const recent = recentDeliveries({ windowMs: replayWindowMs(), countMax: 10_000 });

/** A receiver without its secret, or with a window that is none, must not begin to take calls. */
function replayWindowMs() {
  if (!process.env.WEBHOOK_SECRET) throw new Error("env: expected WEBHOOK_SECRET");
  const text = process.env.REPLAY_WINDOW_S ?? "600";
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new Error(`REPLAY_WINDOW_S: expected a whole number of seconds, got ${text}`);
  }
  return Number(text) * 1000;
}

function answer(status, value, headers = {}) {
  return Response.json(value, { status, headers });
}

/** The body, or null when it is longer than a delivery may be: no more of it is read. */
async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Takes up what a delivery says. A real one would put it into a queue and answer. */
function takeUp(event, payload) {
  if (event === "ping") return { pong: payload.zen ?? null };
  if (event !== "push") return { ignored: event };
  const commits = Array.isArray(payload.commits) ? payload.commits.length : 0;
  return { repository: payload.repository?.full_name ?? null, ref: payload.ref ?? null, commits };
}

export default {
  async fetch(request) {
    if (request.method !== "POST") {
      return answer(405, { error: "POST a delivery" }, { allow: "POST" });
    }
    const body = await readBody(request);
    if (body === null) return answer(413, { error: `body: at most ${bodyBytesMax} bytes` });
    const signature = request.headers.get("x-hub-signature-256");
    // Before anything else is done with the body: whoever has no secret learns nothing from it.
    if (!isSignedBy(process.env.WEBHOOK_SECRET, body, signature)) {
      console.warn("refused a delivery whose signature is missing or wrong");
      return answer(401, { error: "x-hub-signature-256 is missing or wrong" });
    }
    let payload;
    try {
      payload = JSON.parse(body.toString("utf8"));
    } catch (error) {
      return answer(400, { error: `body: not JSON (${error.message})` });
    }
    if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
      return answer(400, { error: "body: expected a JSON object" });
    }
    if (!recent.add(body, Date.now())) return answer(200, { status: "delivered before" });
    const event = request.headers.get("x-github-event") ?? "unknown";
    return answer(202, { status: "accepted", event, ...takeUp(event, payload) });
  },
};
