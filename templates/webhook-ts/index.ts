import { isSigned } from "./signature.ts";

interface WebhookEvent {
  type: string;
  [member: string]: unknown;
}

const BODY_BYTES_MAX = 1_048_576;
const SIGNATURE_HEADER = "x-hub-signature-256";
const secret = requiredEnv("WEBHOOK_SECRET");

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== "POST") return refuse(405, "expected POST");
    const body = Buffer.from(await request.arrayBuffer());
    if (body.length > BODY_BYTES_MAX)
      return refuse(413, `expected ${BODY_BYTES_MAX} bytes at most`);
    if (!isSigned(body, request.headers.get(SIGNATURE_HEADER), secret))
      return refuse(401, `expected ${SIGNATURE_HEADER}: sha256=<HMAC of the body, in hex>`);
    const event = parsed(body);
    if (!isWebhookEvent(event)) return refuse(400, 'expected JSON with a "type"');
    return Response.json({ accepted: accept(event) }, { status: 202 });
  },
};

/**
 * What is done with an event that is known to come from the sender. Senders repeat what was not
 * answered in time.
 */
function accept(event: WebhookEvent): string {
  console.log(`accepted ${event.type}`);
  return event.type;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined; // no JSON: refused by the caller
  }
}

function isWebhookEvent(value: unknown): value is WebhookEvent {
  return (
    typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
  );
}

function refuse(status: number, error: string): Response {
  return Response.json({ error }, { status });
}

function requiredEnv(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: give it under env in isola.yaml`);
  return value;
}
