import { OpenSession, SessionView, SignInLink } from "@isola/api/sessions";
import Type from "typebox";
import { type OpenedSession, SESSION_MS, type Sessions } from "../auth/sessions.ts";
import { type ControlApp, answers } from "./context.ts";
import { problem } from "@isola/api/explain";
import { isoTime } from "./function-view.ts";
import { callerOf } from "./request-policy.ts";
import { checkCookieKept, sessionCookie, sessionTokenOf } from "./session-cookie.ts";
import { invalidRequest } from "./validation.ts";

const tags = ["session"];

/** Signing in and out of the console. */
export function registerSessions(app: ControlApp, sessions: Sessions): void {
  app.post(
    "/api/v1/session",
    {
      config: { policy: "open", isRepeatable: true },
      schema: {
        tags,
        summary: "Sign in with a key or a sign-in link: the answer sets the cookie of the session",
        security: [],
        body: OpenSession,
        response: answers({ 201: SessionView }),
      },
    },
    async (request, reply) => {
      const { key, link } = request.body;
      if ((key === undefined) === (link === undefined))
        throw invalidRequest([problem("", "either `key` or `link`", request.body)]);
      checkCookieKept(request.headers);
      const opened =
        key === undefined
          ? await sessions.openByLink(link as string)
          : await sessions.openByKey(key.trim());
      reply.header("set-cookie", sessionCookie(opened.token, SESSION_MS / 1000));
      reply.code(201);
      return sessionView(opened);
    },
  );
  app.get(
    "/api/v1/session",
    {
      config: { policy: "any" },
      schema: { tags, summary: "Who is signed in", response: answers({ 200: SessionView }) },
    },
    async (request) => {
      const caller = callerOf(request);
      return sessionView({ caller, expiresAt: request.sessionExpiresAt });
    },
  );
  registerEnds(app, sessions);
}

function registerEnds(app: ControlApp, sessions: Sessions): void {
  app.delete(
    "/api/v1/session",
    {
      config: { policy: "any", isRepeatable: true },
      schema: {
        tags,
        summary: "Sign out: the session of the cookie ends",
        response: answers({ 204: Type.Null() }),
      },
    },
    async (request, reply) => {
      const token = sessionTokenOf(request.headers.cookie);
      if (token !== null) await sessions.close(token);
      reply.header("set-cookie", sessionCookie(null, 0));
      return reply.code(204).send(null);
    },
  );
  app.post(
    "/api/v1/session/links",
    {
      config: { policy: "any", isRepeatable: true },
      schema: {
        tags,
        summary: "A link that signs a browser in as the key of this call, once, within ten minutes",
        response: answers({ 201: SignInLink }),
      },
    },
    async (request, reply) => {
      const { token, expiresAt } = sessions.makeLink(callerOf(request).keyId);
      reply.code(201);
      // Behind `#`, so that no server's log and no proxy sees it.
      return { path: `/#sign-in=${token}`, expiresAt: isoTime(expiresAt) };
    },
  );
}

function sessionView({
  caller,
  expiresAt,
}: {
  caller: OpenedSession["caller"];
  expiresAt: number | null;
}): SessionView {
  const { keyId, scopes, project } = caller;
  return {
    ...{ keyId, scopes: [...scopes], project },
    expiresAt: expiresAt === null ? null : isoTime(expiresAt),
  };
}
