import { UnsafeHeaders } from "@isola/api/headers";
import { CreateKey, CreatedKey, KeyListQuery, KeyPage, KeyParams, KeyView } from "@isola/api/keys";
import { makeApiKey } from "../auth/api-key.ts";
import type { Caller } from "../auth/authenticator.ts";
import { eventOf } from "../domain/events.ts";
import { IsolaError } from "../errors.ts";
import type { KeyRow } from "../store/store.ts";
import { type ControlApp, type ControlContext, answers, pageAsked } from "./context.ts";
import { problem } from "@isola/api/explain";
import { isoTime } from "./function-view.ts";
import { pageOfKeys } from "./key-page.ts";
import { callerOf, refuseForeign } from "./request-policy.ts";
import { invalidRequest } from "./validation.ts";

const tags = ["keys"];
const policy = { scope: "admin", reach: "shared" } as const;

export function registerKeys(app: ControlApp, context: ControlContext): void {
  registerCreate(app, context);
  registerList(app, context);
  registerRevoke(app, context);
}

function registerCreate(app: ControlApp, { store, clock, events }: ControlContext): void {
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
      const project = projectFor(callerOf(request), request.body.project);
      const key = { id, name, scopes: [...new Set(scopes)], project, secretHash, expiresAt };
      const row = await store.createKey(key);
      const made = { id, scopes: key.scopes.join(", "), key: callerOf(request).keyId };
      events.add(eventOf("key_created", clock.wall(), made));
      reply.code(201);
      return { ...keyView(row), key: text };
    },
  );
}

function registerList(app: ControlApp, { store }: ControlContext): void {
  app.get(
    "/api/v1/keys",
    {
      config: { policy },
      schema: {
        tags,
        summary: "List keys, newest first, revoked ones too; a key of one project sees those alone",
        querystring: KeyListQuery,
        response: answers({ 200: KeyPage }),
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const asked = request.query.project;
      if (asked !== undefined) refuseForeign(caller, asked);
      const project = asked ?? caller.project;
      const keys = await store.listKeys();
      const seen = project === null ? keys : keys.filter((key) => key.project === project);
      const page = pageOfKeys(seen, pageAsked(request.query));
      return { items: page.items.map(keyView), nextCursor: page.nextCursor };
    },
  );
}

function registerRevoke(app: ControlApp, { store, clock, events }: ControlContext): void {
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
      const { id } = request.params;
      const { keyId, project } = callerOf(request);
      const isForeign = project !== null && (await store.getKey(id))?.project !== project;
      if (isForeign) throw new IsolaError("not_found", `key "${id}" does not exist`);
      const row = await store.revokeKey(id);
      events.add(eventOf("key_revoked", clock.wall(), { id: row.id, key: keyId }));
      return keyView(row);
    },
  );
}

/** The project that a new key is for. A key of a project makes keys of that alone. Throws `not_found` and `forbidden`. */
function projectFor(caller: Caller, asked: string | null | undefined): string | null {
  if (asked === undefined) return caller.project;
  if (asked !== null) refuseForeign(caller, asked);
  else if (caller.project !== null)
    throw new IsolaError(
      "forbidden",
      `expected project ${caller.project}, which the key that asks is of, given null`,
    );
  return asked;
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
    project: row.project,
    createdAt: isoTime(row.createdAt),
    expiresAt: time(row.expiresAt),
    lastUsedAt: time(row.lastUsedAt),
    revokedAt: time(row.revokedAt),
  };
}
