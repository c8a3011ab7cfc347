import { isSigned } from "./signature.mjs";

const BODY_BYTES_MAX = 1_048_576;
const SIGNATURE_HEADER = "x-hub-signature-256";
const secret = process.env.WEBHOOK_SECRET;
if (!secret) throw new Error("WEBHOOK_SECRET is not set: give it under env in isola.yaml");

export default {
  async fetch(request) {
    if (request.method !== "POST") return refuse(405, "expected POST");
    const body = Buffer.from(await request.arrayBuffer());
    if (body.length > BODY_BYTES_MAX)
      return refuse(413, `expected ${BODY_BYTES_MAX} bytes at most`);
    if (!isSigned(body, request.headers.get(SIGNATURE_HEADER), secret))
      return refuse(401, `expected ${SIGNATURE_HEADER}: sha256=<HMAC of the body, in hex>`);
    const event = parsed(body);
    if (typeof event?.type !== "string") return refuse(400, 'expected JSON with a "type"');
    return Response.json({ accepted: accept(event) }, { status: 202 });
  },
};

/**
 * What is done with an event that is known to come from the sender. Senders repeat what was not
 * answered in time.
 */
function accept(event) {
  console.log(`accepted ${event.type}`);
  return event.type;
}

function parsed(body) {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined; // no JSON: refused by the caller
  }
}

function refuse(status, error) {
  return Response.json({ error }, { status });
}
