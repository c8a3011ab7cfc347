import { createHash } from "node:crypto";
import scalar from "@scalar/fastify-api-reference";
import type { FastifyInstance } from "fastify";
import type { Policy } from "./request-policy.ts";

/** The plugin's routes, which cannot declare a policy themselves. */
export const docsPolicies: ReadonlyMap<string, Policy> = new Map([
  ["/docs", "open"],
  ["/docs/", "open"],
  ["/docs/js/scalar.js", "open"],
]);

const INLINE_SCRIPT = /<script type="text\/javascript">([\s\S]*?)<\/script>/;

/**
 * The reference at /docs, from /openapi.json. Its script comes from here: what the page may load or connect to is bound to this server by its
 * content security policy, which names the one inline script by its digest.
 */
export function registerDocs(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    if (!request.url.startsWith("/docs") || typeof payload !== "string") return payload;
    if (request.url.endsWith(".js")) reply.header("cache-control", "public, max-age=3600");
    if (!String(reply.getHeader("content-type")).startsWith("text/html")) return payload;
    reply.header("content-security-policy", policyFor(payload));
    return payload;
  });
  void app.register(scalar, {
    routePrefix: "/docs",
    configuration: {
      url: "/openapi.json",
      pageTitle: "Isola API",
      showDeveloperTools: "never",
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
}

function policyFor(page: string): string {
  const script = INLINE_SCRIPT.exec(page)?.[1] ?? "";
  const digest = createHash("sha256").update(script).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${digest}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
