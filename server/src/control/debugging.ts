import { DebugEvent, DebugParams, OpenDebugSession } from "@isola/api/debugging";
import { FunctionParams } from "@isola/api/functions";
import { ProjectQuery } from "@isola/api/projects";
import type { FastifyReply } from "fastify";
import { IsolaError } from "../errors.ts";
import type { DebugNews, DebugPlace } from "../link/messages.ts";
import { type ControlApp, type ControlContext, answers } from "./context.ts";
import { EventStream } from "./event-stream.ts";
import type { LiveTails, TailOwner, TailReader } from "./live-tails.ts";
import { projectOf } from "./request-policy.ts";
import { ownerOf } from "./tail.ts";
import { checkUpgrade, takeConnection } from "./upgrades.ts";

const tags = ["functions"];
const deploys = { policy: { scope: "deploy", reach: "project" } } as const;
const path = "/api/v1/functions/:name/debug-sessions";
const TYPE = "text/event-stream";

export function registerDebugging(app: ControlApp, context: ControlContext): void {
  registerOpen(app, context);
  registerConnect(app, context);
}

function registerOpen(app: ControlApp, context: ControlContext): void {
  const { store, tails, settings } = context;
  app.post(
    path,
    {
      config: { ...deploys, isRepeatable: true },
      schema: {
        tags,
        summary: "Debug a function, as long as the answer is read",
        description: `Only where the server's setting \`debugger\` is on. Answers, once a debugger can be attached, with server-sent events \`event\`, and \`end\` with a \`reason\`. Until the answer is closed all calls of the function go, one at a time, to one sandbox, and no clock of them runs; then that sandbox ends.`,
        params: FunctionParams,
        querystring: ProjectQuery,
        body: OpenDebugSession,
        response: answers({
          200: { description: "Events", content: { [TYPE]: { schema: DebugEvent } } },
        }),
      },
    },
    async (request, reply) => {
      if (!settings.allowsDebugger) throw switchedOff();
      const project = projectOf(request);
      const { name } = request.params;
      await store.getFunction(project, name);
      const owner = ownerOf(request);
      tails.checkRoom(owner.keyId);
      const asked = { project, name, isAwaited: request.body.wait ?? false };
      await answerSession(context, asked, { owner, reply, tails });
      return reply as never;
    },
  );
}

function registerConnect(app: ControlApp, { debugWork, settings }: ControlContext): void {
  app.get(
    `${path}/:id/connections`,
    {
      config: deploys,
      schema: {
        tags,
        summary: "Connect a debugger with the sandbox of a debug session",
        description:
          "A request to upgrade to `isola-debugger`. After the answer 101 the connection is one to the debugger in the sandbox: HTTP and WebSocket with Node.js, the Debug Adapter Protocol with Python.",
        params: DebugParams,
        querystring: ProjectQuery,
        response: answers({ 101: { description: "The connection is the debugger's" } }),
      },
    },
    async (request, reply) => {
      if (!settings.allowsDebugger) throw switchedOff();
      checkUpgrade(request);
      const { name, id } = request.params;
      const inside = await debugWork.dial({ project: projectOf(request), name }, id);
      debugWork.join(id, takeConnection(request, reply), inside);
      return reply as never;
    },
  );
}

interface Answering {
  owner: TailOwner;
  reply: FastifyReply;
  tails: LiveTails;
}

/** Rejects before the answer has begun, or not at all. */
async function answerSession(
  { debugWork }: ControlContext,
  asked: { project: string; name: string; isAwaited: boolean },
  { owner, reply, tails }: Answering,
): Promise<void> {
  const early: DebugNews[] = [];
  let tell = (news: DebugNews): unknown => early.push(news);
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  const { id, place } = await debugWork.open(asked, (news) => tell(news), gone.signal);
  const stream = new EventStream(reply);
  const reader: TailReader = {
    take: () => {},
    beat: () => stream.beat(),
    end: (reason) => stream.end(reason),
    get isEnded() {
      return stream.isEnded;
    },
  };
  let told = 0;
  const send = (event: DebugEvent) => stream.send("event", (told += 1), JSON.stringify(event));
  const end = () => {
    tails.remove(reader);
    debugWork.close(id);
  };
  // The caller may have gone in this moment.
  if (stream.isEnded) return end();
  tails.add(reader, owner);
  stream.onClosed(end);
  send(sessionEvent(id, place));
  tell = (news) => (news.type === "ended" ? stream.end(news.reason) : send(news));
  for (const news of early) tell(news);
}

function sessionEvent(id: string, { revision, driver, runtime }: DebugPlace): DebugEvent {
  const speaks = runtime.startsWith("python") ? "debugpy" : "inspector";
  return { type: "session", id, debugger: speaks, runtime, driver, revision };
}

function switchedOff(): IsolaError {
  const text =
    "this server lets nobody debug functions: start it with --debugger (ISOLA_DEBUGGER=true), on a machine for development";
  return new IsolaError("debugger_off", text);
}
