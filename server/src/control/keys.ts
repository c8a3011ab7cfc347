import { UnsafeHeaders } from "@isola/api/headers";
import { CreateKey, CreatedKey, KeyListQuery, KeyPage, KeyParams, KeyView } from "@isola/api/keys";
import { makeApiKey } from "../auth/api-key.ts";
import { eventOf } from "../domain/events.ts";
import type { KeyRow } from "../store/store.ts";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { problem } from "./explain.ts";
import { isoTime } from "./function-view.ts";
import { pageOfKeys } from "./key-page.ts";
import { callerOf } from "./request-policy.ts";
import { invalidRequest } from "./validation.ts";

const tags = ["keys"];
const policy = { scope: "admin" } as const;

export function registerKeys(app: ControlApp, { store, clock, events }: ControlContext): void {
  app.post(
    "/api/v1/keys",
    {
      config: { policy, keptAnswer: (answer) => ({ ...answer, key: null }) },
      schema: {
        tags,
        summary: "Make a key; it is shown in this answer and never again",
        headers: UnsafeHeaders,
        body: CreateKey,
        response: answers({ 201: CreatedKey }),
      },
    },
    async (request, reply) => {
      const { name, scopes } = request.body;
      const expiresAt = expiryOf(request.body.expiresAt ?? null, clock.wall());
      const { id, text, secretHash } = makeApiKey();
      const unique = [...new Set(scopes)];
      const row = await store.createKey({ id, name, scopes: unique, secretHash, expiresAt });
      const made = { id, scopes: unique.join(", "), key: callerOf(request).keyId };
      events.add(eventOf("key_created", clock.wall(), made));
      reply.code(201);
      return { ...keyView(row), key: text };
    },
  );
  app.get(
    "/api/v1/keys",
    {
      config: { policy },
      schema: {
        tags,
        summary: "List keys, newest first, revoked ones too",
        querystring: KeyListQuery,
        response: answers({ 200: KeyPage }),
      },
    },
    async (request) => {
      const page = pageOfKeys(await store.listKeys(), pageAsked(request.query));
      return { items: page.items.map(keyView), nextCursor: page.nextCursor };
    },
  );
  app.delete(
    "/api/v1/keys/:id",
    {
      config: { policy },
      schema: {
        tags,
        summary: "Revoke a key, at once and for ever",
        params: KeyParams,
        headers: UnsafeHeaders,
        response: answers({ 200: KeyView }),
      },
    },
    async (request) => {
      const row = await store.revokeKey(request.params.id);
      const fields = { id: row.id, key: callerOf(request).keyId };
      events.add(eventOf("key_revoked", clock.wall(), fields));
      return keyView(row);
    },
  );
}

/** Unix ms. Throws `invalid_request` for a moment that has passed. */
function expiryOf(expiresAt: string | null, now: number): number | null {
  if (expiresAt === null) return null;
  const at = Date.parse(expiresAt);
  if (at > now) return at;
  throw invalidRequest([problem("expiresAt", "a moment in the future", expiresAt)]);
}

function keyView(row: KeyRow): KeyView {
  const time = (at: number | null) => (at === null ? null : isoTime(at));
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    createdAt: isoTime(row.createdAt),
    expiresAt: time(row.expiresAt),
    lastUsedAt: time(row.lastUsedAt),
    revokedAt: time(row.revokedAt),
  };
}
