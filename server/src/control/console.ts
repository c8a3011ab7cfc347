import { existsSync } from "node:fs";
import { join } from "node:path";
import staticFiles from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Policy } from "./request-policy.ts";

/** The plugin's route: the console's files are no secret, what they ask the API for needs a session. */
export const consolePolicies: ReadonlyMap<string, Policy> = new Map([["/*", "open"]]);

/** Scripts, styles and fonts come from here alone, nothing is asked of anybody else; the styles of components stand in the page. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
/** Names of files there hold a digest of their content. */
const ASSETS = "/assets/";
const ASSET_SECONDS = 31_536_000;
const NOT_PAGES =
  /^\/(api|assets|docs|openapi\.json|isola\.schema\.json|healthz|readyz|metrics)(\/|\?|$)/;

/** Serves the console from its folder, and its first page wherever a browser asks for a page that is none of the API. */
export async function registerConsole(app: FastifyInstance, folder: string | null): Promise<void> {
  if (folder === null || !existsSync(join(folder, "index.html"))) return;
  await app.register(staticFiles, {
    root: folder,
    preCompressed: true,
    cacheControl: false,
    index: "index.html",
    setHeaders: (reply, path) => {
      const isAsset = path.replaceAll("\\", "/").includes(ASSETS);
      reply.header(
        "cache-control",
        isAsset ? `public, max-age=${ASSET_SECONDS}, immutable` : "no-cache",
      );
      reply.header("content-security-policy", CONTENT_POLICY);
      reply.header("cross-origin-opener-policy", "same-origin");
    },
  });
}

/** Whether a browser asks for a page of the console. */
export function isPageAsked({ method, url, headers }: FastifyRequest): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return headers.accept?.includes("text/html") === true && !NOT_PAGES.test(url);
}

/** Every page is the same file: the address tells it what to show. */
export function sendPage(reply: FastifyReply): FastifyReply {
  return reply.code(200).sendFile("index.html");
}
